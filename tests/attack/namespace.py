# SPDX-License-Identifier: MIT
"""A network of the tests' own, where a peer may have any address: no packet leaves it.

The daemon counts no connections of 127.0.0.0/8 and ::1 by source, so attackers come from elsewhere.
"""

import ctypes
import os
import pathlib
import subprocess

SERVER = "192.0.2.1"
FETCHER = "192.0.2.2"
ATTACKERS = [f"198.51.100.{i}" for i in range(1, 255)]
FETCHER_V6 = "2001:db8:f::1"
ATTACKER_V6 = "2001:db8:a::{:x}"  # all in one /64
SERVER_V6 = "2001:db8::1"

_NETWORKS = ["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"]
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


class NotPermitted(Exception):
    pass


def _unshare():
    """As an ordinary user: into a user namespace, where that user is root."""
    user, group = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET | (_CLONE_NEWUSER if user != 0 else 0)) != 0:
        raise NotPermitted(f"unshare: {os.strerror(ctypes.get_errno())}")
    if user != 0:
        pathlib.Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
        pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")


def enter():
    """Moves this process there, with all that it starts. Raises NotPermitted if it may not."""
    _unshare()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=10)
    for network in _NETWORKS:
        subprocess.run(["ip", "route", "add", "local", network, "dev", "lo"], check=True,
                       timeout=10)
    pathlib.Path("/proc/sys/net/ipv6/ip_nonlocal_bind").write_text("1", encoding="ascii")
