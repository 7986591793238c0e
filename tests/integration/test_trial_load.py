# SPDX-License-Identifier: MIT
"""A reload is loaded in a process of its own first: what ends that does not end the daemon."""

import contextlib
import os
import pathlib
import signal
import time

import pytest

from client import fetch, policy_body, tls_context
from daemon import PATIENCE_S, PROGRAM, write_configuration
from operated import (HOST, children, configuration, operate_in_test, pipes,  # noqa: F401
                      spawner, wait_until)

BODY = policy_body("mx.example.com")


def body(daemon, pki):
    return fetch(daemon.address, HOST, tls_context(pki)).body


def status(pid):
    return dict(line.split(":", 1) for line in
                pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())


def find_child(daemon):
    """The process that loads, once it has named itself and would be killed first where memory
    ends; None: it was too quick."""
    with contextlib.suppress(OSError):
        for child in children(spawner(daemon)):
            process = pathlib.Path(f"/proc/{child}")
            if (process / "comm").read_text() == "mta-stsd-trial\n" and \
               (process / "oom_score_adj").read_text() == "1000\n":
                os.kill(child, signal.SIGSTOP)
                return child
    return None


@pytest.fixture(name="trial")
def hold_trial(operate, pki, tmp_path):
    """A daemon whose reload waits for the child, which stands still in the middle of its load."""
    daemon = operate(configuration(pki, tmp_path))
    (tmp_path / "whole").write_text(daemon.config_path.read_text())
    write_configuration(daemon.config_path, configuration(pki, tmp_path, {
        f"d{i}.example": {"mx": ["mx.example.com"]} for i in range(50000)}))
    child, end = None, time.monotonic() + PATIENCE_S
    daemon.send_signal(signal.SIGHUP)
    while not child:
        child = find_child(daemon)
        assert time.monotonic() < end
    yield daemon, child


@pytest.mark.parametrize("number, sentence", [
    (signal.SIGKILL, "reload refused: the process that loads it for a trial was killed, as the "
                     "kernel does where memory runs out; the previous configuration stays in use"),
    (signal.SIGSYS, "reload refused: the process that loads it for a trial ended with signal 31; the "
                    "previous configuration"),
], ids=["killed", "crashed"])
def test_child_that_dies(trial, pki, tmp_path, number, sentence):
    daemon, child = trial
    os.kill(child, number)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGCONT)
    daemon.log.wait_for(sentence)
    assert body(daemon, pki) == BODY
    (tmp_path / "whole").rename(daemon.config_path)
    assert daemon.ask("--reload").returncode == 0
    assert body(daemon, pki) == BODY


def test_policies_while_it_waits(trial, pki):
    daemon, child = trial
    for _ in range(20):
        assert body(daemon, pki) == BODY
    write_configuration(daemon.config_path, "domains: {")
    os.kill(child, signal.SIGCONT)
    daemon.log.wait_for("reload refused: 1 error")
    assert body(daemon, pki) == BODY


def test_pipe_in_place_of_the_file(operate, pki, tmp_path):
    """It would hold this reload and all after it for good."""
    daemon = operate(configuration(pki, tmp_path))
    whole = daemon.config_path.rename(tmp_path / "whole")
    os.mkfifo(daemon.config_path)
    daemon.send_signal(signal.SIGHUP)
    daemon.log.wait_for("mta-stsd.yaml: error: the file is not a regular file, so to read it might "
                        "never end")
    daemon.log.wait_for("reload refused: 1 error; the previous configuration stays in use")
    wait_until(lambda: daemon.metric('config_reloads_total{result="refused"}') == 1, "the count")
    assert body(daemon, pki) == BODY
    whole.rename(daemon.config_path)
    assert daemon.ask("--reload").returncode == 0
    assert daemon.metric("config_last_reload_successful") == 1


def test_without_its_spawner(operate, pki, tmp_path):
    """The log says at once what that means, and reloads go on."""
    daemon = operate(configuration(pki, tmp_path))
    os.kill(spawner(daemon), signal.SIGKILL)
    sentence = "the process that starts others has ended: reloads go on without a trial load"
    daemon.log.wait_for(sentence)
    wait_until(lambda: children(daemon.process.pid) == [], "no zombie")
    process = daemon.change(configuration(pki, tmp_path, {"example.com": {"mx": ["new.example.com"]}}))
    assert process.returncode == 0, process.stderr
    daemon.log.wait_for("the configuration is loaded without a trial: .* has ended")
    assert daemon.metric('config_reloads_total{result="refused"}') == 0
    assert body(daemon, pki) == policy_body("new.example.com")
    daemon.stop()
    assert len(daemon.log.find(sentence)) == 1


def test_spawner_killed_in_a_trial(trial):
    daemon, child = trial
    os.kill(spawner(daemon), signal.SIGKILL)
    daemon.log.wait_for("the configuration is loaded without a trial")
    wait_until(lambda: not pathlib.Path(f"/proc/{child}").exists(), "the child has gone with it")
    daemon.log.wait_for("reloaded ")


def test_end_while_the_spawner_stands_still(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path))
    pid = spawner(daemon)
    n_before = len(pipes(daemon))
    os.kill(pid, signal.SIGSTOP)
    daemon.send_signal(signal.SIGHUP)
    wait_until(lambda: len(pipes(daemon)) > n_before, "the reload waits for it")
    assert body(daemon, pki) == BODY
    asked_at = time.monotonic()
    daemon.stop()
    assert time.monotonic() - asked_at < 15
    with contextlib.suppress(ProcessLookupError):  # without the sandbox the kernel ends it too
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "gone with the daemon")
    assert not daemon.log.find("has ended")


def test_nothing_stays_behind(operate, pki, tmp_path):
    """Neither signals to the whole group nor the death of the daemon leave anything over."""
    daemon = operate(configuration(pki, tmp_path))
    pid = spawner(daemon)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(pid, number)
    assert daemon.ask("--reload").returncode == 0
    wait_until(lambda: children(pid) == [], "no child")
    daemon.stop()
    wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "gone with the daemon")


def test_rights_of_the_spawner(operate, pki, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root becomes somebody else")
    os.chmod(tmp_path, 0o755)
    daemon = operate(configuration(pki, tmp_path, user="nobody"))
    facts = status(spawner(daemon))
    assert facts["Uid"].split() == [str(os.stat(f"/proc/{spawner(daemon)}").st_uid)] * 4 != ["0"] * 4
    assert int(facts["CapPrm"], 16) == 0 and facts["NoNewPrivs"].strip() == "1"
    names = [os.readlink(f"/proc/{spawner(daemon)}/fd/{fd}")
             for fd in os.listdir(f"/proc/{spawner(daemon)}/fd")]
    assert names.count("/dev/null") == 3
    kinds = sorted({name.split(":")[0] for name in names if name != "/dev/null"})
    assert kinds == sorted(["anon_inode", "pipe", "socket", PROGRAM]), names
    assert sum(name.startswith("socket:") for name in names) == 1
