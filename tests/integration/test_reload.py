# SPDX-License-Identifier: MIT
"""SIGHUP: the new configuration is served whole, or the old one goes on; nothing is lost."""

import contextlib
import os
import random
import signal
import threading
import time

import pytest

from client import fetch, policy_body, policy_id, tls_context
from daemon import PATIENCE_S, configuration, write_configuration
from operated import LONG, pipes, spawner, wait_until
from pki import leaf_of

HOST = "mta-sts.example.com"
N_RELOADS = 50
N_CLIENTS = 4


def policy(**keys):
    return {"example.com": {"mx": ["mx.example.com"], **keys}}


@pytest.mark.parametrize("changed, body", [
    ({"mode": "enforce"}, policy_body("mx.example.com", mode="enforce")),
    ({"mode": "none", "max_age": "1d"}, policy_body("mx.example.com", mode="none", max_age=86400)),
    ({"mx": ["*.example.com"]}, policy_body("*.example.com")),
    ({"max_age": 86401}, policy_body("mx.example.com", max_age=86401)),
])
def test_changed_policy(serve, pki, changed, body):
    daemon = serve(configuration(pki, policy()))
    assert fetch(daemon.address, HOST, tls_context(pki)).body == policy_body("mx.example.com")
    daemon.reload(configuration(pki, policy(**changed)))
    assert fetch(daemon.address, HOST, tls_context(pki)).body == body


def test_added_and_removed_domains(serve, pki):
    context = tls_context(pki)
    daemon = serve(configuration(pki, policy()))
    with pytest.raises(OSError):
        fetch(daemon.address, "mta-sts.example.org", context)
    daemon.reload(configuration(pki, {"example.org": {"mx": ["mx.example.org"]}}))
    assert fetch(daemon.address, "mta-sts.example.org", context).status == 200
    with pytest.raises(OSError):
        fetch(daemon.address, HOST, context)


BROKEN = [
    ("domains: {example.com: {mx: [mx.example.com]}",
     r"mta-stsd.yaml:\d+:\d+: error: .*\[syntax\]"),
    ("domains:\n  example.com: {mx: [mx.example.com], mode: enforced}\n",
     r"mta-stsd.yaml:2:45: error: domains.example.com.mode: 'enforced' .*\[bad-value\]"),
    ("", r"mta-stsd.yaml:1:1: error: .*\[wrong-type\]"),
]


@pytest.mark.parametrize("text, finding", BROKEN)
def test_broken_configuration_is_refused(serve, pki, text, finding):
    daemon = serve(configuration(pki, policy()))
    daemon.reload(text, wanted="reload refused: 1 error; the previous configuration stays in use")
    assert daemon.log.find(finding)
    assert fetch(daemon.address, HOST, tls_context(pki)).body == policy_body("mx.example.com")
    daemon.reload(configuration(pki, policy(max_age="2d")))
    assert fetch(daemon.address, HOST, tls_context(pki)).body == \
        policy_body("mx.example.com", max_age=172800)


def test_missing_configuration_is_refused(serve, pki):
    daemon = serve(configuration(pki, policy()))
    daemon.config_path.unlink()
    daemon.reload(wanted="reload refused")
    assert fetch(daemon.address, HOST, tls_context(pki)).status == 200


@pytest.mark.parametrize("key, value", [
    ("listen", [{"address": "127.0.0.1:0"}, {"address": "127.0.0.2:0"}]),
    ("listen", [{"address": "127.0.0.1:0", "tls": False}]),
    ("workers", 1),
])
def test_what_needs_a_restart_is_refused(serve, pki, key, value):
    daemon = serve(configuration(pki, policy()))
    daemon.reload(configuration(pki, policy(mode="enforce"), **{key: value}),
                  wanted=f"reload refused: '{key}' has changed, which needs a restart")
    assert fetch(daemon.address, HOST, tls_context(pki)).body == policy_body("mx.example.com")


def test_changed_certificate_sources(serve, pki, tmp_path):
    chain, key = pki.issue(tmp_path / "other", HOST)
    context = tls_context(pki)
    daemon = serve(configuration(pki, policy()))
    assert fetch(daemon.address, HOST, context).certificate == \
        leaf_of(pki.folder / "live" / HOST / "fullchain.pem")
    daemon.reload(configuration(pki, policy(),
                                certificates=[{"chain": str(chain), "key": str(key)}]))
    assert fetch(daemon.address, HOST, context).certificate == leaf_of(chain)


def test_log_settings_change(serve, pki):
    daemon = serve(configuration(pki, policy()))
    fetch(daemon.address, HOST, tls_context(pki), path="/before")
    daemon.reload(configuration(pki, policy(), log={"access": "text"}))
    fetch(daemon.address, HOST, tls_context(pki), path="/after")
    assert "/after" in daemon.access.wait_for("GET")


@contextlib.contextmanager
def held_reload(daemon):
    """A reload that waits: who starts processes for the daemon stands still."""
    pid = spawner(daemon)
    n_before = len(pipes(daemon))
    os.kill(pid, signal.SIGSTOP)
    try:
        daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: len(pipes(daemon)) > n_before, "the reload waits")
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def test_reloads_that_pile_up_become_one(serve, pki):
    daemon = serve(configuration(pki, policy()))
    with held_reload(daemon):
        for max_age in range(100000, 100020):
            write_configuration(daemon.config_path, configuration(pki, policy(max_age=max_age)))
            daemon.send_signal(signal.SIGHUP)
    daemon.log.wait_for("reloaded '", count=2)
    assert fetch(daemon.address, HOST, tls_context(pki)).body == \
        policy_body("mx.example.com", max_age=100019)
    daemon.stop()
    # The held one, one for all that were asked for meanwhile, one for a signal noticed late.
    assert len(daemon.log.find("reloaded '")) <= 3


@pytest.mark.parametrize("n_before", [0, 1])
def test_end_during_a_reload(serve, pki, n_before):
    """The end does not wait for what a reload waits for, and what one before it made goes once."""
    daemon = serve(configuration(pki, policy()))
    for _ in range(n_before):
        daemon.send_signal(signal.SIGHUP)
        daemon.log.wait_for("reloaded '")
    with held_reload(daemon):
        daemon.stop()


class Load:
    """Clients that fetch without a pause, each time over a new connection and a full handshake.

    Generation n of the policy has max_age 86400 + n. From asking for a generation to the daemon's
    word that it is served, the one before is right as well.
    """

    def __init__(self, address, context):
        self.address, self.context = address, context
        self.asked = self.served = 0
        self.faults = []
        self._n_fetches = 0
        self._fetched = threading.Condition()
        self._has_ended = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(N_CLIENTS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._has_ended.set()
        for thread in self._threads:
            thread.join()

    def go_on(self, count):
        """Lets the clients fetch so many more times."""
        with self._fetched:
            enough = self._n_fetches + count
            assert self._fetched.wait_for(lambda: self._n_fetches >= enough, PATIENCE_S)

    def _run(self):
        while not self._has_ended.is_set():
            try:
                self._fetch()
            except (AssertionError, OSError) as fault:
                self.faults.append(fault)
            with self._fetched:
                self._n_fetches += 1
                self._fetched.notify_all()

    def _fetch(self):
        oldest = self.served
        answer = fetch(self.address, HOST, self.context)
        right = [policy_body("mx.example.com", max_age=86400 + generation)
                 for generation in range(oldest, self.asked + 1)]
        assert answer.status == 200
        assert answer.body in right
        assert answer.header("etag") == f'"{policy_id(answer.body)}"'


def test_reloads_under_load(serve, pki):
    def settings(generation):
        return configuration(pki, policy(max_age=86400 + generation))

    daemon = serve(settings(0))
    with Load(daemon.address, tls_context(pki)) as load:
        for i in range(1, N_RELOADS + 1):
            if i % 3 == 0:
                daemon.reload(BROKEN[i // 3 % len(BROKEN)][0], wanted="reload refused")
            else:
                load.asked = i
                daemon.reload(settings(i))
                load.served = i
            load.go_on(3 * N_CLIENTS)
    assert not load.faults
    answer = fetch(daemon.address, HOST, tls_context(pki))
    assert answer.body == policy_body("mx.example.com", max_age=86400 + load.served)


ATTACK_S = 10 if LONG else 5
MX = [f"mx{i}.example.com" for i in range(8)]


class Writer:
    """Writes an include in place, a line at a time, again and again; now and then it rests."""

    def __init__(self, path):
        self.path = path
        self.generation = 0
        self._chance = random.Random(8461)
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def write(self):
        """A file that is cut after any line, but the first four, says something less."""
        self.generation += 1
        with self.path.open("w", encoding="utf-8", buffering=1) as file:
            for line in ("domains:", "  example.com:", "    mode: enforce",
                         f"    max_age: {86400 + self.generation}", "    mx:",
                         *(f"    - {name}" for name in MX)):
                file.write(line + "\n")
                time.sleep(self._chance.choice((0, 0, 0.0005, 0.003)))

    def _run(self):
        while not self._has_ended.is_set():
            for _ in range(20):
                self.write()
            time.sleep(0.3)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._has_ended.set()
        self._thread.join()


def test_include_that_is_written_in_place(serve, pki, tmp_path):
    """Only policies that were whole in the file are ever served."""
    settings = configuration(pki, {"example.org": {"mx": ["mx.example.org"]}},
                             include=["customers.yaml"])
    writer = Writer(tmp_path / "customers.yaml")
    writer.write()
    daemon = serve(settings)
    context = tls_context(pki)
    wrong, n_fetches, end = [], 0, time.monotonic() + ATTACK_S
    with writer:
        while time.monotonic() < end:
            daemon.send_signal(signal.SIGHUP)
            answer = fetch(daemon.address, HOST, context)
            right = {policy_body(*MX, mode="enforce", max_age=86400 + generation)
                     for generation in range(1, writer.generation + 1)}
            n_fetches += 1
            if answer.status != 200 or answer.body not in right:
                wrong.append(answer.body)
    assert not wrong, f"{len(wrong)} of {n_fetches}, as {wrong[0]}"
    assert daemon.log.find("reloaded '") and daemon.log.find(
        "customers.yaml' (is being written; try again when that is done|"
        "has changed while the configuration was read; try again)")
    daemon.send_signal(signal.SIGHUP)
    wait_until(lambda: fetch(daemon.address, HOST, context).body ==
               policy_body(*MX, mode="enforce", max_age=86400 + writer.generation), "the last one")
