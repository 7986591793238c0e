# SPDX-License-Identifier: MIT
"""A server under measurement: started, watched and ended; and this project's own."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import time

from hosts import PATH, body_of, domain, is_overridden, policy_host

PATIENCE_S = 900
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def client_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


CONTEXT = client_context()


def fetch(port, host):
    """The body of a policy, fetched as bench_load does; OSError if there is none."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection, \
            CONTEXT.wrap_socket(connection, server_hostname=host) as tls:
        tls.sendall(f"GET {PATH} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: tls.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise OSError(f"{host}: {head[:40]!r}")
    return body.decode()


class Server:
    """Serves within a with block.

    folder   its own, for configuration and log
    wrapper  the command that it is started by: taskset, valgrind
    """

    name = package = binary = None

    def __init__(self, folder, hosts, wrapper=()):
        self.folder = folder
        self.hosts = hosts
        self.wrapper = wrapper
        self.port = free_port()
        self.process = None
        self.ready_s = None  # from exec to the first good fetch
        folder.mkdir(parents=True, exist_ok=True)
        self.configure()

    def configure(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def write(self, name, *parts):
        """Writes a new file of the server's own folder, which the configuration may name."""
        path = self.folder / name
        path.unlink(missing_ok=True)
        with path.open("w", encoding="ascii", newline="") as out:
            out.writelines(parts)

    def __enter__(self):
        with (self.folder / "log").open("wb") as log:
            start = time.monotonic()
            self.process = subprocess.Popen([*self.wrapper, *map(str, self.command())],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.wait_until_good()
        except BaseException:
            self.__exit__()
            raise
        self.ready_s = time.monotonic() - start
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait_until_good(self):
        end = time.monotonic() + PATIENCE_S
        last = self.hosts.n_fetched - 1
        while True:
            with contextlib.suppress(OSError):
                if fetch(self.port, policy_host(last)) == body_of(last):
                    return
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.name} does not serve:\n{self.read_log()[-2000:]}")
            time.sleep(0.001)

    def read_log(self):
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def read_proc(self, name, pid=None):
        return pathlib.Path(f"/proc/{pid or self.process.pid}/{name}").read_text(encoding="ascii")

    def processes(self):
        """The server's processes, oldest first."""
        children = self.read_proc(f"task/{self.process.pid}/children")
        return [self.process.pid, *map(int, children.split())]

    def used_cpu_s(self):
        """User and system time of all its processes so far, in seconds."""
        ticks = 0
        for pid in self.processes():
            ticks += sum(map(int, self.read_proc("stat", pid).rpartition(")")[2].split()[11:13]))
        return ticks / TICKS_A_SECOND

    def resident_mib(self):
        """What is in memory; a page that several of its processes share counts once."""
        processes = self.processes()
        kind = "Rss" if len(processes) == 1 else "Pss"
        kib = [int(re.search(rf"{kind}:\s+(\d+)", self.read_proc("smaps_rollup", pid))[1])
               for pid in processes]
        return sum(kib) / 1024

    def settle(self):
        """Waits until whatever goes on in the background after a start is over."""
        n_quiet = 0
        while n_quiet < 3:
            before = self.used_cpu_s()
            time.sleep(0.3)
            n_quiet = n_quiet + 1 if self.used_cpu_s() - before < 0.02 else 0


def domain_line(i, policy="standard"):
    """A domain in the short form; every hundredth has a policy of its own."""
    name = domain(i)
    if is_overridden(i):
        policy = f"{{policy: standard, mode: testing, mx: [mail.{name}]}}"
    return f"  {name}: {policy}\n"


class MtaStsd(Server):
    name = "mta-stsd"

    def __init__(self, folder, hosts, wrapper=(), program=None, **keys):
        self.program = program
        self.keys = keys  # of the configuration
        super().__init__(folder, hosts, wrapper)

    @property
    def config(self):
        return self.folder / "mta-stsd.yaml"

    def settings(self):
        live = self.hosts.live
        return {"listen": [{"address": f"127.0.0.1:{self.port}"}], "admin": "off", "user": "root",
                "control": str(self.folder / "control.sock"), "workers": 1,
                "limits": {"connections": 10000, "per_source": 10000},
                "certificates": [{"chain": f"{live}/{{host}}/fullchain.pem",
                                  "key": f"{live}/{{host}}/privkey.pem"}],
                "policy_host": {"addresses": ["192.0.2.1"]},
                "policies": {"standard": {"mode": "enforce", "max_age": "2w",
                                          "mx": ["mx1.provider.example", "mx2.provider.example"],
                                          "tls_rpt": ["mailto:tlsrpt@provider.example"]}},
                **self.keys}

    def configure(self):
        self.write_configuration(self.config.name)

    def write_configuration(self, name, *changed):
        """changed  lines of domains that replace those of the last hosts"""
        settings = [f"{key}: {json.dumps(value)}\n" for key, value in self.settings().items()]
        lines = map(domain_line, range(self.hosts.n - len(changed)))
        self.write(name, *settings, "domains:\n", *lines, *changed)

    def put_in_place(self, name):
        """Makes a configuration that was written before the one that is loaded next."""
        new = self.folder / "new"
        os.link(self.folder / name, new)
        new.rename(self.config)

    def command(self):
        return [self.program, "-c", self.config]
