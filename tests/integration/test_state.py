# SPDX-License-Identifier: MIT
"""The ledger in `state:`: what was acknowledged is in it, whatever happens to the daemon."""

import contextlib
import os
import random
import re
import signal
import subprocess
import threading
import time

import pytest

from client import fetch, policy_body, tls_context
from operated import HOST, LONG, Operated, configuration, wait_until

HEAD = "mta-stsd ledger 1"
LINE = re.compile(r"\d+ (?:serves \S+ [0-9a-f]{32} (?:testing|enforce|none) \d+ \S+ \S+ \S+ \S+"
                  r"|ends \S+|fetchable \S+)")
N_KILLS = 100 if LONG else 15


def policy(**keys):
    return {"example.com": {"mx": ["mx.example.com"], **keys}}


def ledger_lines(folder):
    """The whole lines; half a line may follow them only after a crash."""
    text = (folder / "ledger").read_text()
    lines = text.splitlines()
    return lines if text.endswith("\n") else lines[:-1]


def served(folder, domain="example.com"):
    """mode and max_age of each policy that the ledger has of the domain."""
    return [line.split()[4:6] for line in ledger_lines(folder)
            if line.split()[1:3] == ["serves", domain]]


def test_ledger(pki, tmp_path):
    state = tmp_path / "state"

    def with_policy(**keys):
        return configuration(pki, tmp_path, policy(**keys), state=str(state))

    with Operated(tmp_path, with_policy()) as daemon:
        wait_until(lambda: (state / "ledger").exists() and len(ledger_lines(state)) == 3,
                   "a line for the policy and one for its certificate")
        assert ledger_lines(state)[0] == HEAD
        assert {line.split()[1] for line in ledger_lines(state)[1:]} == {"serves", "fetchable"}
        assert daemon.change(with_policy(mode="enforce")).returncode == 0
        assert served(state) == [["testing", "604800"], ["enforce", "604800"]]
        # Refused and unchanged configurations leave no line.
        assert daemon.change(with_policy(mode="enforce", max_age="1")).returncode == 0
        n_lines = len(ledger_lines(state))
        assert daemon.change(with_policy(mode="enforced")).returncode == 2
        assert daemon.change(with_policy(mode="enforce", max_age="1")).returncode == 0
        assert len(ledger_lines(state)) == n_lines
    with Operated(tmp_path, with_policy(mode="enforce", max_age="1")) as daemon:
        time.sleep(0.3)
        assert len(ledger_lines(state)) == n_lines  # a restart changes nothing


def test_second_daemon(pki, tmp_path):
    """It serves without a ledger, and says why."""
    settings = configuration(pki, tmp_path, state=str(tmp_path / "state"))
    (tmp_path / "second").mkdir()
    second = {**settings, "control": str(tmp_path / "second" / "control.sock")}
    with Operated(tmp_path, settings), Operated(tmp_path / "second", second) as daemon:
        daemon.log.wait_for("error: state: '.*/state/ledger' is in use by another mta-stsd; "
                            "policies are served, but nothing is kept of what was served when")
        assert fetch(daemon.address, HOST, tls_context(pki)).body == policy_body("mx.example.com")
        assert daemon.metric("state_write_failures_total") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
def test_full_disk(pki, tmp_path):
    """Policies and reloads go on; what is missing comes with the next reload."""
    state = tmp_path / "small"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", state], check=True)
    try:
        settings = configuration(pki, tmp_path, policy(), state=str(state))
        with Operated(tmp_path, settings) as daemon:
            wait_until(lambda: len(ledger_lines(state)) == 3, "the ledger of the start")
            with contextlib.suppress(OSError):
                (state / "filler").write_bytes(bytes(16384))
            many = {f"d{i}.example": {"mx": [f"{'x' * 60}.example"]} for i in range(200)}
            changed = configuration(pki, tmp_path, {**policy(mode="enforce"), **many},
                                    state=str(state))
            assert daemon.change(changed).returncode == 0
            daemon.log.wait_for("error: state: '.*/ledger' cannot be written: No space left on "
                                "device; it is tried again after the next reload or certificate")
            body = fetch(daemon.address, HOST, tls_context(pki)).body
            assert body == policy_body("mx.example.com", mode="enforce")
            assert all(LINE.fullmatch(line) for line in ledger_lines(state)[1:])
            subprocess.run(["mount", "-o", "remount,size=1m", state], check=True)
            assert daemon.change(changed).returncode == 0
            assert served(state)[-1] == ["enforce", "604800"]
            assert len(ledger_lines(state)) > 200
    finally:
        subprocess.run(["umount", "-l", state], check=True)


class Reloader(threading.Thread):
    """Reloads again and again, each time with another max_age, and keeps which were answered."""

    def __init__(self, daemon, settings_of, start_at):
        super().__init__()
        self.daemon_under_test, self.settings_of, self.max_age = daemon, settings_of, start_at
        self.answered = []

    def run(self):
        while True:
            self.max_age += 1
            if self.daemon_under_test.change(self.settings_of(self.max_age)).returncode != 0:
                return
            self.answered.append(["testing", str(self.max_age)])


def test_killed(pki, tmp_path):
    """SIGKILL at a random time in reloads, a start after it: nothing answered is lost."""
    state = tmp_path / "state"
    answered, max_age = [], 100000

    def settings_of(seconds):
        return configuration(pki, tmp_path, policy(max_age=str(seconds)), state=str(state))

    for _ in range(N_KILLS):
        with Operated(tmp_path, settings_of(max_age)) as daemon:
            reloader = Reloader(daemon, settings_of, max_age)
            reloader.start()
            time.sleep(random.uniform(0, 0.6))
            daemon.process.send_signal(signal.SIGKILL)
            daemon.process.wait()
            daemon.running.remove(daemon)
            reloader.join()
            answered += reloader.answered
            max_age = reloader.max_age
        if (state / "ledger").exists() and (state / "ledger").stat().st_size > len(HEAD):
            lines = ledger_lines(state)
            assert lines[0] == HEAD
            assert all(LINE.fullmatch(line) for line in lines[1:]), lines
            missing = [one for one in answered if one not in served(state)]
            assert not missing
    assert answered
