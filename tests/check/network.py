# SPDX-License-Identifier: MIT
"""A network of the tests' own, with addresses as the Internet has them: no packet leaves it.

Those of documentation, 192.0.2.0/24 and its like, are special to the check and not contacted.
"""

import ctypes
import os
import pathlib
import subprocess

ROOT_SERVER = "45.67.89.54"         # the root and all zones
SECOND_SERVER = "45.67.89.55"       # a second name server of some zones
DEAF_SERVER = "45.67.89.56"         # where no name server is
DAEMON = ("45.67.89.25", "2a0e:dead::25")
NGINX = ("45.67.89.30", "2a0e:dead::30")
OTHER_NGINX = "45.67.89.31"         # a second address, with another policy
OLD_NGINX = "45.67.89.32"           # TLS 1.1 only
SCRIPTED = "45.67.89.33"
CLOSED = "45.67.89.34"              # nothing listens
MX = {n: f"45.67.89.{60 + n}" for n in range(1, 40)}

_NETWORKS = ("45.67.89.0/24", "2a0e:dead::/32")
_CLONE_NEWNS, _CLONE_NEWUSER, _CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000


class NotPermitted(Exception):
    pass


def _unshare():
    """As an ordinary user: into a user namespace, where that user is root."""
    user, group = os.geteuid(), os.getegid()
    flags = _CLONE_NEWNS | _CLONE_NEWNET | (_CLONE_NEWUSER if user != 0 else 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        raise NotPermitted(f"unshare: {os.strerror(ctypes.get_errno())}")
    if user != 0:
        pathlib.Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
        pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")


def enter():
    """Moves this process there, with all that it starts. Raises NotPermitted if it may not."""
    _unshare()
    for command in (["mount", "--make-rprivate", "/"], ["ip", "link", "set", "lo", "up"],
                    *(["ip", "route", "add", "local", network, "dev", "lo"]
                      for network in _NETWORKS)):
        subprocess.run(command, check=True, timeout=10)
    pathlib.Path("/proc/sys/net/ipv6/ip_nonlocal_bind").write_text("1", encoding="ascii")
