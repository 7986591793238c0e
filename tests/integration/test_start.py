# SPDX-License-Identifier: MIT
"""What the daemon is started with: closed descriptors, signals, few descriptors."""

import itertools
import json
import os
import signal
import subprocess

import pytest

from client import connect, exchange, fetch, policy_body, request, tls_context
from daemon import PATIENCE_S, PROGRAM, Output, run, write_configuration
from operated import HOST, configuration, operate_in_test, wait_until  # noqa: F401


def settings_on_unix_socket(pki, folder, **policy):
    """Its address is known without a word from the daemon."""
    return configuration(pki, folder, {"example.com": {"mx": ["mx.example.com"], **policy}},
                         listen=[{"address": f"unix:{folder}/http.sock", "tls": False}])


def body(folder):
    return exchange(connect(f"{folder}/http.sock"),
                    request(HOST, headers=["Connection: close"])).body


CLOSED = [" ".join(closed) for count in (1, 2, 3)
          for closed in itertools.combinations(("<&-", ">&-", "2>&-"), count)]


@pytest.mark.parametrize("closed", CLOSED)
def test_closed_descriptors(pki, tmp_path, closed):
    """No socket gets the number of one, and then a line of the log."""
    config = write_configuration(tmp_path / "mta-stsd.yaml",
                                 settings_on_unix_socket(pki, tmp_path))
    with subprocess.Popen(["sh", "-c", f'exec "$@" {closed}', "sh", PROGRAM, "-c", config],
                          stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: run("-c", config, "--health").returncode == 0, "serving")
            assert body(tmp_path) == policy_body("mx.example.com")
            write_configuration(config, settings_on_unix_socket(pki, tmp_path, max_age="2d"))
            reload = run("-c", config, "--reload")
            assert reload.returncode == 0, reload
            assert body(tmp_path) == policy_body("mx.example.com", max_age=172800)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()


@pytest.mark.parametrize("closed", [">&-", "<&- >&-"])
def test_output_that_is_closed(pki, tmp_path, closed):
    config = write_configuration(tmp_path / "mta-stsd.yaml", configuration(
        pki, tmp_path, policy_host={"name": "policy.provider.example"}))
    process = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", PROGRAM, "-c", config, "--print-dns"],
        stderr=subprocess.PIPE, timeout=PATIENCE_S, check=False)
    assert process.returncode == 3
    assert b"the output cannot be written: Bad file descriptor" in process.stderr


@pytest.mark.parametrize("limit", [4, 8, 16, 24, 36, 64, 128, 146, 147, 148, 149, 160, 256])
def test_few_descriptors(pki, tmp_path, limit):
    """It serves, or it says what it needs; it never breaks down half-way."""
    config = write_configuration(tmp_path / "mta-stsd.yaml",
                                 settings_on_unix_socket(pki, tmp_path))
    with subprocess.Popen(["prlimit", f"--nofile={limit}:{limit}", PROGRAM, "-c", config],
                          stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: process.poll() is not None or
                       run("-c", config, "--health").returncode == 0, "refused or serving")
            if process.returncode is None:
                assert limit >= 148
                assert body(tmp_path) == policy_body("mx.example.com")
                assert run("-c", config, "--reload").returncode == 0
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE_S) == 0
            else:
                assert process.returncode == 3 and limit < 148
                assert (f"the limit of {limit} descriptors is too low; 148 are needed "
                        "(workers: 2, listeners: 1); raise LimitNOFILE= or ulimit -n") in process.stderr.read().decode()
        finally:
            process.kill()


ENDING = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF,
          signal.SIGIO, signal.SIGXFSZ, signal.SIGPWR, signal.SIGSTKFLT, signal.SIGPIPE,
          signal.SIGRTMIN, signal.SIGRTMIN + 7, signal.SIGRTMAX]


@pytest.mark.parametrize("number", ENDING)
def test_signals_that_mean_nothing(operate, pki, tmp_path, number):
    """A log rotation that takes us for another daemon does not end us."""
    daemon = operate(configuration(pki, tmp_path))
    daemon.send_signal(number)
    assert fetch(daemon.address, HOST, tls_context(pki)).status == 200
    assert daemon.ask("--reload").returncode == 0
    daemon.send_signal(number)
    daemon.stop()
    assert not daemon.log.find("second signal")


def test_signals_while_the_file_is_read(pki, tmp_path):
    os.mkfifo(tmp_path / "mta-stsd.yaml")
    process = subprocess.Popen([PROGRAM, "-c", tmp_path / "mta-stsd.yaml"],
                               stderr=subprocess.PIPE, text=True)
    log = Output(process.stderr)
    try:
        # Opening returns when the daemon has opened the other end.
        with (tmp_path / "mta-stsd.yaml").open("w", encoding="utf-8") as pipe:
            for number in ENDING:
                process.send_signal(number)
            pipe.write(json.dumps(configuration(pki, tmp_path)))
        log.wait_for("ready: 1 domain")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
