# SPDX-License-Identifier: MIT
"""What processes use, as /proc says."""

import os
import pathlib
import re


def status_kib(pid, field):
    """A line of /proc/PID/status: VmRSS, or VmHWM, the highest that it ever was."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(rf"{field}:\s+(\d+)", status)[1])


def _stat(pid):
    """The fields after the name: state, parent, ..."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()


def cpu_s(pid):
    user, system = _stat(pid)[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def family(pid):
    """A process and all that descend from it."""
    parents = {}
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parents[int(path.name)] = int(_stat(path.name)[1])
        except OSError:  # ended meanwhile
            pass
    found = [pid]
    for parent in found:  # which grows
        found += [child for child, its_parent in parents.items() if its_parent == parent]
    return found
