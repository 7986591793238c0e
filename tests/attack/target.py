# SPDX-License-Identifier: MIT
"""The daemon under attack, and what has to hold all the while: it answers, and nothing leaks."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import usage
from client import (connect, connect_tls, exchange, parse_answer, policy_body, read_all, request,
                    tls_context)
from daemon import Daemon, PATIENCE_S, configuration
from namespace import FETCHER, SERVER

HOST = "mta-sts.example.com"
BODY = policy_body("mx.example.com")
FLOODS = [sys.executable, str(pathlib.Path(__file__).with_name("floods.py"))]
FAST_FLOODS = ("shakes", "fetches", "reports", "key-updates")


def eventually(probe, what, deadline_s=PATIENCE_S):
    """Waits until probe() is true."""
    end = time.monotonic() + deadline_s
    while not probe():
        assert time.monotonic() < end, f"not within {deadline_s} s: {what}"
        time.sleep(0.05)


class Latencies:
    def __init__(self):
        self.seconds = []
        self.failures = []

    def percentile(self, percent):
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] if ordered else 0.0

    def __str__(self):
        return (f"{len(self.seconds)} fetches, {len(self.failures)} failed, "
                f"p50 {self.percentile(50) * 1000:.1f} ms, p99 {self.percentile(99) * 1000:.1f} ms")


class Target(Daemon):
    """A Daemon with an admin listener; addresses[0] has TLS, addresses[1] is a unix socket."""

    def __init__(self, folder, pki, wrapper=(), **keys):
        self.context = tls_context(pki)
        self.metrics_url = None
        self.socket_path = str(folder / "http.sock")
        settings = configuration(
            pki, {"example.com": {"mx": ["mx.example.com"]}},
            **{"listen": [{"address": "[::]:0"},
                          {"address": f"unix:{self.socket_path}", "tls": False}],
               "admin": "127.0.0.1:0", "control": str(folder / "control.sock"), **keys})
        super().__init__(folder, settings, wrapper)

    def __enter__(self):
        super().__enter__()
        host, port = re.search(r"listening on (\S+):(\d+) \(admin\)",
                               self.log.find(r"\(admin\)")[0]).groups()
        self.metrics_url = f"http://{host}:{port}/metrics"
        self.addresses[0] = (SERVER, self.addresses[0][1])
        return self

    @property
    def port(self):
        return self.address[1]

    def count_descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def used_cpu_s(self):
        """Of all its threads; as exact as the clock that clock_getcpuclockid(3) names."""
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def resident_kib(self):
        return usage.status_kib(self.process.pid, "VmRSS")

    def peak_kib(self):
        return usage.status_kib(self.process.pid, "VmHWM")

    def metric(self, name):
        """The value of a sample, by its name with its label: 'x_total{reason="y"}'."""
        with urllib.request.urlopen(self.metrics_url, timeout=PATIENCE_S) as answer:
            lines = answer.read().decode().splitlines()
        return int(next(line.split()[-1] for line in lines if line.startswith(f"mtasts_{name} ")))

    def ended(self, reason):
        return self.metric(f'connections_ended_total{{reason="{reason}"}}')

    def connect(self, source=None, address=None, timeout_s=PATIENCE_S):
        """A TCP connection, from a source address."""
        return socket.create_connection(address or self.address, timeout_s,
                                        (source, 0) if source else None)

    def connect_unix(self):
        return connect(self.socket_path)

    def connect_tls(self, context=None, host=HOST):
        return connect_tls(self.address, host, context or self.context)

    def fetch(self, source=FETCHER, address=None, timeout_s=PATIENCE_S):
        """Fetches the policy as a sender does; raises unless all is right."""
        connection = self.connect(source, address, timeout_s)
        with self.context.wrap_socket(connection, server_hostname=HOST,
                                      suppress_ragged_eofs=False) as tls:
            tls.sendall(request(HOST))
            answer = parse_answer(read_all(tls))
        assert (answer.status, answer.body) == (200, BODY)

    def fetch_into(self, latencies, **options):
        start = time.monotonic()
        try:
            self.fetch(**options)
        except (OSError, AssertionError, ValueError) as reason:
            latencies.failures.append(f"{reason!r} after {time.monotonic() - start:.3f} s")
            return
        latencies.seconds.append(time.monotonic() - start)

    def fetch_for(self, seconds, pause_s=0.01, **options):
        latencies = Latencies()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.fetch_into(latencies, **options)
            time.sleep(pause_s)
        return latencies

    @contextlib.contextmanager
    def fetched_meanwhile(self):
        """Fetches go on beside the block, and all of them are answered."""
        latencies = Latencies()
        is_over = threading.Event()

        def run():
            while not is_over.wait(0.02):
                self.fetch_into(latencies)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield latencies
        finally:
            is_over.set()
            thread.join()
        self.fetch_into(latencies)
        print("meanwhile:", latencies)
        assert not latencies.failures

    def ask(self, sent, context=None):
        """Sends bytes over TLS and returns all that comes back until the end."""
        with self.connect_tls(context) as connection:
            connection.sendall(sent)
            return read_all(connection)

    def status_of(self, sent):
        return exchange(self.connect_tls(), sent).status


@contextlib.contextmanager
def nothing_lost(target):
    """After the block the daemon is alive, answers, and has as many descriptors as before."""
    eventually(lambda: target.metric("connections_open") == 0, "no connection is open")
    n_before = target.count_descriptors()
    yield
    assert target.process.poll() is None, "the daemon has ended"
    target.fetch()
    eventually(lambda: target.count_descriptors() <= n_before,
               f"{n_before} descriptors, as before the attack")
    eventually(lambda: target.metric("connections_open") == 0, "no connection is counted")


@contextlib.contextmanager
def flood(kind, address, n_connections, seconds, sources=()):
    """A flood in a process of its own, while the block runs; ended by its id.

    Attackers and senders have processors of their own: a flood must not keep these from running.

    kind  one of floods.py, or of fast_flood.c, which FAST_FLOOD is the path of
    """
    command = [os.environ["FAST_FLOOD"]] if kind in FAST_FLOODS else FLOODS
    process = subprocess.Popen(
        ["nice", *command, kind, address[0], str(address[1]), str(n_connections), str(seconds), *sources],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.terminate()
        print(f"{kind}: {process.communicate(timeout=PATIENCE_S)[0].strip()}")
