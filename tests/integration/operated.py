# SPDX-License-Identifier: MIT
"""A daemon with its control socket and its admin listener, asked as operators and monitoring do."""

import contextlib
import os
import pathlib
import re
import socket
import time

import pytest

import daemon as harness
from client import exchange, request

HOST = "mta-sts.example.com"
LONG = os.environ.get("MTA_LONG") == "1"  # the variants that take minutes


def configuration(pki, folder, domains=None, **keys):
    """The harness's, with a control socket in `folder` and the admin listener on any port."""
    if domains is None:
        domains = {"example.com": {"mx": ["mx.example.com"]}}
    return harness.configuration(pki, domains, **{
        "control": str(folder / "control.sock"), "admin": "127.0.0.1:0", **keys})


def wait_until(is_so, what, patience_s=harness.PATIENCE_S):
    """Looks again and again; returns what was so."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        seen = is_so()
        if seen:
            return seen
        time.sleep(0.02)
    raise AssertionError(f"never came: {what}")


def children(pid):
    return [int(child) for child in
            pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def spawners(daemon):
    return [pid for pid in children(daemon.process.pid)
            if pathlib.Path(f"/proc/{pid}/comm").read_text() == "mta-stsd-spawn\n"]


def spawner(daemon):
    """It names itself once it is prepared, which a daemon that is ready does not wait for."""
    found = wait_until(lambda: spawners(daemon), "a spawner")
    assert len(found) == 1
    return found[0]


def pipes(daemon):
    """Those that it has open: one more while it waits for a process that it has had started."""
    folder = pathlib.Path(f"/proc/{daemon.process.pid}/fd")
    with contextlib.suppress(FileNotFoundError):  # one was closed meanwhile
        return [name for fd in folder.iterdir()
                if (name := os.readlink(fd)).startswith("pipe:")]
    return []


class Operated(harness.Daemon):
    @property
    def admin_address(self):
        return self._address(self.log.wait_for(r"listening on .* \(admin\)"))

    def ask(self, *arguments):
        """Runs --reload, --health or another mode with this daemon's configuration."""
        return harness.run("-c", self.config_path, *arguments)

    def change(self, settings, *arguments):
        """Writes the configuration and asks to reload it."""
        harness.write_configuration(self.config_path, settings)
        return self.ask("--reload", *arguments)

    def converse(self, question, patience_s=harness.PATIENCE_S):
        """Sends bytes to the control socket and reads all that comes."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(patience_s)
            connection.connect(str(self.config_path.parent / "control.sock"))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(question)
            received = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := connection.recv(65536):
                    received += piece
        return received

    def admin(self, path, **options):
        return exchange(socket.create_connection(self.admin_address, harness.PATIENCE_S),
                        request("localhost", path, **options))

    def metrics(self):
        """The samples as {'name{label="value"}': number}, without the prefix of all names."""
        lines = self.admin("/metrics").body.decode().splitlines()
        samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name.removeprefix("mtasts_"): float(value) for name, value in samples}

    def metric(self, name):
        return self.metrics()[name]

    def kill(self):
        """Ends it as a crash would."""
        self.running.remove(self)
        self.process.kill()
        self.process.wait()

    def descriptors(self):
        return os.listdir(f"/proc/{self.process.pid}/fd")

    def cpu_s(self):
        fields = open(f"/proc/{self.process.pid}/stat", encoding="ascii").read().rsplit(") ", 1)[1]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def memory_kb(self):
        status = open(f"/proc/{self.process.pid}/status", encoding="ascii").read()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


@pytest.fixture(name="operate")
def operate_in_test(tmp_path):
    """Starts a daemon with these settings; it is ended, and must end well, after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda settings, folder=tmp_path, **options: stack.enter_context(
            Operated(folder, settings, **options))
