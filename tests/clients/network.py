# SPDX-License-Identifier: MIT
"""A network of the tests' own: no packet leaves it, and nothing outside is changed.

This process moves into new namespaces and stays there, and what it starts is born there: so every
client runs as it was installed, against ports 53 and 443 and by its own resolv.conf.
"""

import ctypes
import os
import pathlib
import subprocess

RESOLVER = "192.0.2.53"             # what a sender has in its resolv.conf
AUTHORITY = "192.0.2.54"            # the name server of the zones
POWERDNS = "192.0.2.55"             # a name server with an HTTP API
POLICY_HOST = ("192.0.2.25", "2001:db8::25")
CUSTOMER_PROXY = "192.0.2.80"       # a customer's own web server

# Debian's AppArmor profile lets named work here and nowhere else.
NAMED_FOLDER = pathlib.Path("/var/cache/bind")

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000


class NotPermitted(Exception):
    pass


def _run(*command):
    subprocess.run(command, check=True, timeout=10)


def _unshare():
    """As an ordinary user: into a user namespace, where that user is root."""
    user, group = os.geteuid(), os.getegid()
    flags = CLONE_NEWNS | CLONE_NEWNET | (CLONE_NEWUSER if user != 0 else 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        raise NotPermitted(f"unshare: {os.strerror(ctypes.get_errno())}")
    if user != 0:
        pathlib.Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
        pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")


def enter(folder):
    """Moves this process into the network. Raises NotPermitted where the system forbids it."""
    _unshare()
    _run("mount", "--make-rprivate", "/")
    _run("ip", "link", "set", "lo", "up")
    for address in (RESOLVER, AUTHORITY, POWERDNS, CUSTOMER_PROXY, *POLICY_HOST):
        length = 128 if ":" in address else 32
        _run("ip", "address", "add", f"{address}/{length}", "dev", "lo")
    resolv_conf = folder / "resolv.conf"
    resolv_conf.write_text(f"nameserver {RESOLVER}\n", encoding="ascii")
    _run("mount", "--bind", str(resolv_conf), "/etc/resolv.conf")
    named_folder = folder / "named"
    named_folder.mkdir()
    _run("mount", "--bind", str(named_folder), str(NAMED_FOLDER))
