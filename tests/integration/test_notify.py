# SPDX-License-Identifier: MIT
"""`notify:`: each thing that begins or ends is told once, not again while it lasts."""

import json
import os
import pathlib
import socket
import time

import pytest

from client import fetch, tls_context
from kept_documents import DocumentKeeper
from operated import HOST, Operated, configuration, wait_until
from shifted_clock import ShiftedClock

DAY_S = 86400
POLICY = {"mx": ["mx.example.com"]}
BAD = {"example.com": {"mx": ["bad_name.example.com"]}}


class Receiver(DocumentKeeper):
    def __init__(self, folder):
        super().__init__(folder / "receiver", "told")

    def notices(self):
        return [notice for document in self.documents() for notice in document["notices"]]

    def told(self):
        """As (event, kind, domain, code)."""
        return [(notice["event"], notice["kind"], notice["domain"], notice["code"])
                for notice in self.notices()]

    def wait_for(self, *notice, patience_s=60):
        """The notice comes, and once; returns it."""
        wait_until(lambda: notice in self.told(), f"{notice}; there is {self.told()}", patience_s)
        assert self.told().count(notice) == 1
        return next(each for each in self.notices() if notice == (
            each["event"], each["kind"], each["domain"], each["code"]))


@pytest.fixture(name="receiver")
def receiver_in_test(tmp_path):
    return Receiver(tmp_path)


@pytest.fixture(name="clock")
def clock_in_test(tmp_path):
    if "CLOCK_SHIFT" not in os.environ:
        pytest.skip("the clock cannot be moved in this build")
    return ShiftedClock(tmp_path)


def shifted(clock):
    return ["env", *(f"{name}={value}" for name, value in clock.environment.items())]


def settings_of(pki, folder, receiver, domains=None, notify=None, **keys):
    return configuration(pki, folder, domains, **{
        "state": str(folder / "state"), "policy_host": {"name": "p.example"},
        "notify": {"run": [str(receiver.path), "one", "two words"], "digest": "off",
                   **(notify or {})}, **keys})


def looked(daemon):
    """All looks of the start were taken."""
    book = pathlib.Path(json.loads(daemon.config_path.read_text())["state"]) / "notices"
    wait_until(lambda: book.exists() and all(
        f"seen\t{kind}\n" in book.read_text() for kind in ("reload", "certificate", "verdict")),
        "a look at all", 60)
    return book


REFUSED = ("reload", None, "reload-refused")


def test_reload(pki, tmp_path, receiver):
    """A refused reload is told with its reason, a second one is not; a good one ends it."""
    good, bad = (settings_of(pki, tmp_path, receiver, domains) for domains in (None, BAD))
    with Operated(tmp_path, good) as daemon:
        looked(daemon)
        assert daemon.change(bad).returncode == 2
        notice = receiver.wait_for("began", *REFUSED)
        assert "mx-syntax" in notice["text"] and "\n" not in notice["text"]
        assert "--test-config" in notice["advice"]
        assert abs(notice["since"] - time.time()) < 60
        daemon.log.wait_for("notify: told one two words$")
        daemon.log.wait_for("was told 1 notice$")
        assert daemon.change(bad).returncode == 2
        assert daemon.change(good).returncode == 0
        ended = receiver.wait_for("ended", *REFUSED)
        assert ended["since"] == notice["since"] <= ended["until"]
        document = receiver.documents()[-1]
        assert document["version"] == 1 and document["left_out"] == 0
        assert document["host"] == socket.gethostname()
        assert document["summary"] == f"mta-stsd on {socket.gethostname()}: 1 condition ended"
        assert daemon.change(bad).returncode == 2  # within the cooldown
        time.sleep(7)
        assert len(receiver.told()) == 2
        assert daemon.metric('notify_runs_total{result="delivered"}') == 2


def test_restart_and_cooldown(pki, tmp_path, receiver, clock):
    """What was told is known after a restart; after the cooldown it is told again."""
    good, bad = (settings_of(pki, tmp_path, receiver, domains) for domains in (None, BAD))
    with Operated(tmp_path, good, wrapper=shifted(clock)) as daemon:
        looked(daemon)
        assert daemon.change(bad).returncode == 2
        receiver.wait_for("began", *REFUSED)
        daemon.log.wait_for("was told 1 notice$")
    with Operated(tmp_path, good, wrapper=shifted(clock)) as daemon:
        receiver.wait_for("ended", *REFUSED)
        clock.shift(2 * DAY_S)
        assert daemon.change(bad).returncode == 2
        wait_until(lambda: receiver.told().count(("began", *REFUSED)) == 2, "it again", 60)


def test_program_that_fails(pki, tmp_path, receiver):
    """What was not delivered is told later, with what came meanwhile."""
    with Operated(tmp_path, settings_of(pki, tmp_path, receiver)) as daemon:
        looked(daemon)
        receiver.end_with(3)
        assert daemon.change(settings_of(pki, tmp_path, receiver, BAD)).returncode == 2
        daemon.log.wait_for("notify: '.*' ended with status 3: told one two words; nothing is "
                            "told, and it is tried again in 1 minute")
        wait_until(lambda: daemon.metric('notify_runs_total{result="failed"}') >= 1, "the count")
        receiver.end_with(0)
        done = daemon.ask("--notify-test")
        assert done.returncode == 0
        wait_until(lambda: receiver.told().count(("began", *REFUSED)) >= 2, "it again", 60)
        daemon.log.wait_for("was told 1 notice$")
        assert fetch(daemon.address, HOST, tls_context(pki)).status == 200


def test_try(pki, tmp_path, receiver):
    """--notify-test runs the program at once, and says how it ended."""
    with Operated(tmp_path, settings_of(pki, tmp_path, receiver)) as daemon:
        done = daemon.ask("--notify-test")
        assert done.returncode == 0
        assert b"delivered: '" in done.stdout and b"status 0: told one two words\n" in done.stdout
        assert receiver.told() == [("test", "test", None, "test")]
        receiver.end_with(9)
        done = daemon.ask("--notify-test")
        assert done.returncode == 1
        assert b"not delivered: '" in done.stdout and b"status 9" in done.stdout


def test_try_without_program(pki, tmp_path):
    with Operated(tmp_path, configuration(pki, tmp_path)) as daemon:
        done = daemon.ask("--notify-test")
        assert done.returncode == 1
        assert b"the daemon has no notify: in its configuration" in done.stdout


def test_book_that_is_damaged(pki, tmp_path, receiver):
    """It is said, and starts afresh without a flood."""
    settings = settings_of(pki, tmp_path, receiver, {"example.com": POLICY, "other.example": POLICY})
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "notices").write_text("mta-stsd notices 1\nrubbish\n")
    with Operated(tmp_path, settings) as daemon:
        daemon.log.wait_for("what was told before is not known, as '.*/notices' cannot be used: "
                            "line 2 is damaged")
        book = looked(daemon)
        assert "open\tcertificate\tother.example\tcertificate-missing\t" in book.read_text()
        assert not receiver.told()


def test_state_that_cannot_be_written(pki, tmp_path, receiver):
    (tmp_path / "state").write_text("a file", encoding="ascii")
    with Operated(tmp_path, settings_of(pki, tmp_path, receiver)) as daemon:
        daemon.log.wait_for("notify: nothing is told, because")
        assert fetch(daemon.address, HOST, tls_context(pki)).status == 200
        assert daemon.ask("--notify-test").returncode == 1
