# SPDX-License-Identifier: MIT
"""A Debian of its own, booted: systemd is process 1, the network has nothing but loopback."""

import os
import pathlib
import subprocess

from daemon import PATIENCE_S
from operated import wait_until

MIRROR = "http://deb.debian.org/debian"
# root. All that systemd-nspawn leaves in /run, and mounts, goes with it.
BOOT = """
mount -t tmpfs tmpfs /run
exec systemd-nspawn --quiet --register=no --keep-unit --private-network --boot --console=pipe \
    --machine=mta-stsd-test --directory="$1"
"""


def bootstrap(root, release, package):
    """Installs this release of Debian in root, and has there what the package depends on, not yet installed."""
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=apt", "--include=systemd-sysv", "--skip=cleanup/apt",
         "--dpkgopt=force-unsafe-io", '--aptopt=Acquire::Languages "none"',
         f"--customize-hook=upload {package} /root/{package.name}",
         '--customize-hook=chroot "$1" apt-get --yes -o APT::Install-Recommends=yes '
         f'install --download-only /root/{package.name}',
         release, root, MIRROR], check=True, stdout=subprocess.DEVNULL)


def cgroups_of_systemd():
    """Where systemd keeps its groups, in version 2 of them or beside version 1: a folder each."""
    for line in pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup2" or "name=systemd" in options:
            yield pathlib.Path(place, f"mta-stsd-test-{os.getpid()}")


class Machine:
    """Runs within a with block."""

    def __init__(self, root):
        self.root = root
        self._cgroups = list(cgroups_of_systemd())
        self._outer = self._init = None

    def __enter__(self):
        for folder in self._cgroups:
            folder.mkdir()
        self._outer = subprocess.Popen(
            ["unshare", "--mount", "sh", "-ec", BOOT, "sh", self.root], stdin=subprocess.DEVNULL,
            preexec_fn=self._enter_cgroups)
        try:
            wait_until(self._has_booted, "a running systemd")
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._outer.terminate()
        try:
            self._outer.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._outer.kill()
            self._outer.wait()
        for top in self._cgroups:
            for folder, _, _ in os.walk(top, topdown=False):
                os.rmdir(folder)

    def _enter_cgroups(self):
        for folder in self._cgroups:
            (folder / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")

    def _has_booted(self):
        assert self._outer.poll() is None, "systemd-nspawn has ended"
        task = pathlib.Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children")
        children = task.read_text(encoding="ascii").split()
        if not children:
            return False
        self._init = children[0]
        return self.run("systemctl", "is-system-running").stdout == "running\n"

    def run(self, *words):
        """Runs a command there, as root; both outputs are in stdout."""
        return subprocess.run(
            ["nsenter", f"--target={self._init}", "--all", "--", "env", "-i", "LC_ALL=C.UTF-8",
             "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *words],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            check=False, timeout=PATIENCE_S)

    def do(self, *words):
        """Runs what has to go well; returns what it has printed."""
        process = self.run(*words)
        assert process.returncode == 0, (words, process.stdout)
        return process.stdout

    def curl(self, *arguments):
        """With this machine's curl, in that one's network."""
        return subprocess.run(
            ["nsenter", f"--target={self._init}", "--net", "curl", "--silent", "--show-error",
             "--fail", "--noproxy", "*", *arguments], capture_output=True, check=False,
            timeout=PATIENCE_S)
