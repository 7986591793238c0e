# SPDX-License-Identifier: MIT
"""A memory cgroup of the tests' own, of version 2 or 1: what is started in it may use so much.

It is made below the cgroup that the tests run in, or beside it where only the parent hands out
memory, as systemd's slices do; the tests' own processes stay where they are.
"""

import os
import pathlib
import time

_REMOVAL_S = 10
_ROOT = pathlib.Path("/sys/fs/cgroup")


class NotPermitted(Exception):
    pass


def _own(controller):
    """The path of this process's cgroup, or None. controller  "memory"; "": version 2."""
    for line in pathlib.Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(",") and (controller or not controllers):
            return path.strip("/")
    return None


def _parents():
    """Where a memory cgroup may be made: pairs of a folder and the name of its limit."""
    if (own := _own("memory")) is not None:
        yield _ROOT / "memory" / own, "memory.limit_in_bytes"
    if (own := _own("")) is not None:
        folder = _ROOT / own
        yield folder, "memory.max"
        if folder != _ROOT:
            yield folder.parent, "memory.max"


class MemoryCgroup:
    """Within a with block. Raises NotPermitted if there can be none."""

    def __init__(self, limit_bytes):
        self.limit_bytes = limit_bytes
        self.folder = None

    @property
    def wrapper(self):
        """A command's first words: the rest of it runs in the cgroup."""
        return ["sh", "-c", 'echo $$ >"$0" && exec "$@"', str(self.folder / "cgroup.procs")]

    def peak_bytes(self):
        """The kernel's count of pages and of its own objects; it is never above the limit."""
        names = ["memory.max_usage_in_bytes", "memory.peak", "memory.current"]
        path = next(path for path in map(self.folder.joinpath, names) if path.exists())
        return int(path.read_text(encoding="ascii"))

    def __enter__(self):
        for parent, limit in _parents():
            folder = parent / f"mta-stsd-attack-{os.getpid()}"
            try:
                folder.mkdir()
            except OSError:
                continue
            try:
                if not (folder / limit).exists():  # with processes beside the new one it may not be
                    (parent / "cgroup.subtree_control").write_text("+memory", encoding="ascii")
                (folder / limit).write_text(str(self.limit_bytes), encoding="ascii")
            except OSError:
                folder.rmdir()
                continue
            self.folder = folder
            return self
        raise NotPermitted("no memory cgroup can be made here")

    def __exit__(self, *_):
        """The kernel may take a moment until a cgroup without processes is one."""
        end = time.monotonic() + _REMOVAL_S
        while True:
            try:
                self.folder.rmdir()
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
