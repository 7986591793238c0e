# SPDX-License-Identifier: MIT
"""A network of a process's own: what it starts is born there, and no packet leaves it."""

import ctypes
import os
import pathlib
import subprocess

_CLONE_NEWNS, _CLONE_NEWUSER, _CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000

IS_ROOT = os.geteuid() == 0  # and not only in a namespace of its own


class NotPermitted(Exception):
    pass


def run(*command):
    subprocess.run(command, check=True, timeout=10)


def unshare(has_mounts=False):
    """Into a network of its own, and mounts if wanted. Raises NotPermitted if it may not.

    As an ordinary user: into a user namespace, where that user is root.
    """
    user, group = os.geteuid(), os.getegid()
    flags = _CLONE_NEWNET | (_CLONE_NEWNS if has_mounts else 0) | (_CLONE_NEWUSER if user else 0)
    if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
        raise NotPermitted(f"unshare: {os.strerror(ctypes.get_errno())}")
    if user != 0:
        pathlib.Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
        pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
    if has_mounts:
        run("mount", "--make-rprivate", "/")
    run("ip", "link", "set", "lo", "up")


def take_addresses(*networks):
    """Has each address of these networks be one of this machine; "default": each of IPv4."""
    for network in networks:
        run("ip", "route", "add", "local", network, "dev", "lo")
    pathlib.Path("/proc/sys/net/ipv6/ip_nonlocal_bind").write_text("1", encoding="ascii")
