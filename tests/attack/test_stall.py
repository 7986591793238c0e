# SPDX-License-Identifier: MIT
"""A worker's loop that stops turning is seen and ended, and a process that was stopped is not."""

import os
import signal
import time
import urllib.error
import urllib.request

import pytest

from daemon import run
from namespace import ATTACKERS
from target import HOST, PATIENCE_S, Target, eventually

MARKED = ATTACKERS[65]  # what stall.c waits for
STALLED_S, END_S = 10, 30


@pytest.fixture(name="stall")
def file_that_stalls(tmp_path):
    path = tmp_path / "stall"
    path.write_bytes(b"\0")

    def stall(is_stalled):
        with path.open("r+b") as file:
            file.write(b"\1" if is_stalled else b"\0")

    stall.path = path
    return stall


@pytest.fixture(name="target")
def target_to_stall(pki, stall, tmp_path):
    sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    wrapper = ["env", f"LD_PRELOAD={os.environ['STALL']}", f"ASAN_OPTIONS={sanitizer}",
               f"STALL_FILE={stall.path}"]
    with Target(tmp_path, pki, wrapper) as target:
        target.fetch()
        yield target


def status_of(target, path):
    url = target.metrics_url.replace("/metrics", path)
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return answer.status
    except urllib.error.HTTPError as answer:
        return answer.code


def health_of(target):
    return run("-c", target.config_path, "--health").returncode


def is_greeted(target):
    """Whether a handshake comes about within a second: with the worker that stands still, none."""
    with target.connect() as connection:
        connection.settimeout(1)
        try:
            target.context.wrap_socket(connection, server_hostname=HOST).close()
            return True
        except TimeoutError:
            return False


def test_seen_and_gone(target, stall):
    """Health checks fail while it stands still, the other worker answers, and then all is well."""
    assert (status_of(target, "/healthz"), status_of(target, "/readyz"), health_of(target)) == \
        (200, 200, 0)
    stall(True)
    with target.connect(MARKED):
        start = time.monotonic()
        eventually(lambda: target.metric("worker_loop_stalled") == 1, "it is seen")
        assert time.monotonic() - start > STALLED_S - 3
        assert (status_of(target, "/healthz"), status_of(target, "/readyz"), health_of(target)) == \
            (503, 503, 1)
        eventually(lambda: is_greeted(target), "the other worker goes on")
        stall(False)
    target.log.wait_for("the loop of worker [12] turns again")
    eventually(lambda: target.metric("worker_loop_stalled") == 0, "it is well again")
    assert (status_of(target, "/healthz"), status_of(target, "/readyz"), health_of(target)) == \
        (200, 200, 0)
    assert len(target.log.find("has not turned")) == 1


def test_ends_itself(target, stall):
    stall(True)
    with target.connect(MARKED):
        start = time.monotonic()
        target.process.wait(PATIENCE_S)
    assert END_S - 3 < time.monotonic() - start
    assert target.process.returncode == -signal.SIGABRT
    target.running.remove(target)
    assert target.log.find("has not turned for 30 s: the daemon ends itself")


def test_stopped_process_is_none(target):
    """Neither one long stop nor many short ones count."""
    target.send_signal(signal.SIGSTOP)
    time.sleep(END_S + 2)
    target.send_signal(signal.SIGCONT)
    for _ in range(5):
        target.fetch()
        target.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        target.send_signal(signal.SIGCONT)
    assert status_of(target, "/healthz") == 200
    assert not target.log.find("has not turned")
