# SPDX-License-Identifier: MIT
"""What fails on the operator's side: challenges answered wrongly, no room on the disk, no right to write."""

import contextlib
import http.client
import http.server
import json
import os
import pathlib
import tempfile
import threading
import time

import pytest

from front import DIRECTORY, NEW_ORDER, Front, served_apart
from names import POLICY_HOST, policy_hosts
from ordering import Orderer, settings
from pebble import SYSTEM_TRUST
from processes import run

BEHIND = "45.67.89.27"  # where the daemon listens if something is before it
MINUTE_S = 60


def row(daemon, domain):
    """What --certificates says of a domain."""
    rows = json.loads(daemon.ask("--certificates", "--json").stdout)
    return next(row for row in rows if row["domain"] == domain)


class Proxy:
    """What an operator has put before port 80.

    wrong  {policy host: (status, body)}: what it answers itself, instead of what it was to forward
    """

    def __init__(self):
        self.wrong = {}

    def answer(self, name, path):
        if name in self.wrong:
            return self.wrong[name]
        behind = http.client.HTTPConnection(BEHIND, 80, timeout=10)
        behind.request("GET", path, headers={"Host": name})
        response = behind.getresponse()
        return response.status, response.read()

    @contextlib.contextmanager
    def serving(self):
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, body = proxy.answer(self.headers["Host"].split(":")[0], self.path)
                self.send_response_only(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer((POLICY_HOST, 80), Handler) as server:
            with served_apart(server):
                yield self


def test_wrong_answers(internet, ca, clock, tmp_path):
    """DNS is right, but not what answers the CA: these hosts wait, longer each time; others are served."""
    good = [f"good{i}.example" for i in range(4)]
    bad = ["absent.example", "other.example"]
    internet.publish(*policy_hosts(*good, *bad))
    configuration = settings(tmp_path, sorted(good + bad), listen=[
        {"address": f"{POLICY_HOST}:443"}, {"address": f"{BEHIND}:80", "serve": "challenges"}])
    proxy = Proxy()
    proxy.wrong = {"mta-sts.absent.example": (404, b"no such page"),
                   "mta-sts.other.example": (200, b"another.thumbprint")}
    with ca.serving(), proxy.serving(), Orderer(tmp_path, configuration, clock) as daemon:
        daemon.wait_served(ca.bundle, *good)
        for domain in bad:
            line = daemon.log.wait_for(f"mta-sts.{domain}: no certificate was issued")
            assert "the certificate authority says unauthorized" in line
            assert "minutes" in line.rsplit("tried again in", 1)[1]
            seen = row(daemon, domain)
            assert seen["state"] == "failing" and "unauthorized" in seen["error"]
            assert seen["next_try"] and not daemon.serves(domain, ca.bundle)
        assert daemon.metric('acme_hosts{state="failing"}') == len(bad)
        # Nothing is tried before its time, also after a reload.
        orders = daemon.metric('acme_orders_total{result="failed"}')
        daemon.pass_time(2 * MINUTE_S)
        daemon.ask("--reload")
        assert daemon.metric('acme_orders_total{result="failed"}') == orders == len(bad)
        # Then it is, and the time doubles.
        daemon.pass_time(4 * MINUTE_S)
        for domain in bad:
            again = rf"mta-sts.{domain}: no certificate was issued.* again in ([6-9]|10) minutes"
            daemon.log.wait_for(again)
        proxy.wrong.clear()
        daemon.pass_time(11 * MINUTE_S)
        daemon.wait_served(ca.bundle, *bad)
        for domain in bad:
            seen = row(daemon, domain)
            assert seen["state"] == "valid" and not seen["error"]
        assert daemon.metric('acme_hosts{state="failing"}') == 0
        assert not daemon.challenges()


@contextlib.contextmanager
def small_disk(folder, size):
    """A file system of a few pages at `folder`."""
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "none", folder)
    try:
        yield
    finally:
        run("umount", "--lazy", folder)


def fill(folder):
    """Takes all that is free. Returns the file that does."""
    path = folder / "fill"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    assert os.statvfs(folder).f_bavail == 0
    return path


def key_of(folder):
    return (folder / "acme/account/private/key.pem").read_bytes()


def goes_on(daemon, ca, domain, begin):
    """Within a minute, without a reload; a look on occasion of one comes sooner."""
    begin()
    daemon.reload()
    daemon.wait_served(ca.bundle, domain)


def test_full_disk(internet, ca, tmp_path):
    """From the first start, and again later: nothing is ordered, all that can be served is."""
    internet.publish(*policy_hosts("one.example", "two.example"))
    state, full = tmp_path / "state", r"no certificates are ordered as long as '.*No space left on device"
    with small_disk(state, "256k"), ca.serving():
        (state / "acme/account/private").mkdir(parents=True)
        fill(state)
        with Orderer(tmp_path, settings(tmp_path, ["one.example"])) as daemon:
            daemon.log.wait_for(full)
            assert not daemon.log.find("is tried again in")
            assert row(daemon, "one.example")["state"] == "missing"
            assert daemon.metric("acme_held_until_timestamp_seconds") > time.time()
            assert not list((state / "acme/account/private").iterdir())
            goes_on(daemon, ca, "one.example", (state / "fill").unlink)
            daemon.log.wait_for("is written again, and orders go on")
            before, served = key_of(state), daemon.certificate("one.example").read_bytes()
            fill(state)
            daemon.change(settings(tmp_path, ["one.example", "two.example"]))
            daemon.log.wait_for(full, count=2)
            assert daemon.fetch("one.example", ca.bundle).status == 200
            assert daemon.certificate("one.example").read_bytes() == served
            goes_on(daemon, ca, "two.example", (state / "fill").unlink)
            assert key_of(state) == before
            assert daemon.metric("acme_held_until_timestamp_seconds") == 0
    assert "There are now 2 accounts" not in ca.log()


class Step(Front):
    """Does something when uacme asks for a path for the first time, before the CA answers."""

    def __init__(self, pki, path, action):
        super().__init__(pki)
        self.path, self.action, self.begun = path, action, threading.Lock()

    def answer(self, handler):
        if handler.path.startswith(self.path) and self.begun.acquire(blocking=False):
            self.action()
        return super().answer(handler)


@pytest.mark.parametrize("path", ["/order-plz", "/certZ/"], ids=["challenge", "certificate"])
def test_disk_full_in_an_order(internet, ca, pki, clock, tmp_path, path):
    """The order fails, and nothing is left of it. Another one follows as soon as there is room."""
    internet.publish(*policy_hosts("one.example"))
    state = tmp_path / "state"
    front = Step(pki, path, lambda: fill(state))
    with small_disk(state, "256k"), ca.serving(), front.serving(), Orderer(
            tmp_path, settings(tmp_path, ["one.example"], acme={"directory": DIRECTORY}),
            clock) as daemon:
        daemon.log.wait_for(f"one.example: no certificate was issued: .*: No space left on device; "
                            r"it is tried again in (\d+ seconds|1 minute)")
        assert not daemon.challenges() and not os.listdir(state / "certificates")
        (state / "fill").unlink()
        daemon.pass_time(2 * MINUTE_S)
        daemon.wait_served(ca.bundle, "one.example")
        assert not os.listdir(state / "acme/account/mta-sts.one.example")


def test_no_room_for_a_new_certificate(internet, ca, pki, clock, tmp_path):
    """What the CA has issued is kept, and served once there is room: nothing is ordered again."""
    internet.publish(*policy_hosts("one.example"))
    installed = tmp_path / "state/certificates"
    front = Step(pki, "/certZ/", lambda: run("mount", "-t", "tmpfs", "-o", "ro", "none", installed))
    with ca.serving(), front.serving(), Orderer(
            tmp_path, settings(tmp_path, ["one.example"], acme={"directory": DIRECTORY}),
            clock) as daemon:
        try:
            daemon.log.wait_for("one.example: .* that was ordered is not installed: .*Read-only file")
        finally:
            run("umount", "--lazy", installed)
        daemon.pass_time(2 * MINUTE_S)
        daemon.wait_served(ca.bundle, "one.example")
        assert front.count(NEW_ORDER) == 1
        assert not os.listdir(tmp_path / "state/acme/account/mta-sts.one.example")


@pytest.fixture(name="open_folder")
def folder_open_to_all(pki, monkeypatch):
    """Not below pytest's, which every session of pytest closes again for all but its user."""
    del pki
    monkeypatch.setenv("SSL_CERT_FILE", SYSTEM_TRUST)  # the same file, where others can read it
    with tempfile.TemporaryDirectory(prefix="acme-") as folder:
        os.chmod(folder, 0o755)
        yield pathlib.Path(folder)


def test_not_writable(internet, ca, pki, open_folder):
    """Policies are served from the certificates that are there, and the log says what cannot be written."""
    pki.issue(open_folder / "live/mta-sts.own.example", "mta-sts.own.example")
    internet.publish(*policy_hosts("one.example", "own.example", "two.example"))
    own = {"chain": f"{open_folder}/live/{{host}}/chain.pem", "key": f"{open_folder}/live/{{host}}/key.pem"}
    domains, state = ["one.example", "own.example"], open_folder / "state"
    with small_disk(state, "1m"), ca.serving():
        run("mount", "-o", "remount,ro", state)
        with Orderer(open_folder, settings(open_folder, domains, certificates=[own])) as daemon:
            line = daemon.log.wait_for("no certificates are ordered")
            assert f"'{state}/acme' cannot be made: Read-only file system" in line
            assert daemon.serves("own.example", pki.ca)
        run("mount", "-o", "remount,rw", state)
        with Orderer(open_folder, settings(open_folder, domains, user="nobody")) as daemon:
            daemon.wait_served(ca.bundle, "one.example")
            before, owner = key_of(state), (state / "acme").stat().st_uid
            os.chown(state / "acme", 0, 0)
            daemon.change(settings(open_folder, [*domains, "two.example"], user="nobody"))
            daemon.log.wait_for("no certificates are ordered as long as '.*Permission denied")
            assert daemon.serves("one.example", ca.bundle)
            goes_on(daemon, ca, "two.example", lambda: os.chown(state / "acme", owner, 0))
            assert key_of(state) == before


def test_link_to_files_of_others(internet, open_folder):
    """Whoever took over the daemon could have root remove any files at the next start."""
    state, others = open_folder / "state", open_folder / "others"
    for folder in (state, others):
        folder.mkdir()
    (others / "file").touch()
    (state / "challenges").symlink_to(others)
    with Orderer(open_folder, settings(open_folder, ["one.example"], user="nobody")) as daemon:
        daemon.log.wait_for("what orders of an earlier process have left stays: .*Permission denied")
    assert (others / "file").exists()


def test_damaged_account_key(internet, ca, clock, tmp_path):
    """It is said which file is damaged, nothing is written over it, and the copy is used once it is back."""
    internet.publish(*policy_hosts("one.example", "two.example"))
    key = tmp_path / "state/acme/account/private/key.pem"
    with ca.serving():
        with Orderer(tmp_path, settings(tmp_path, ["one.example"])) as daemon:
            daemon.wait_served(ca.bundle, "one.example")
        copy = key.read_bytes()
        key.write_bytes(copy[:100])
        with Orderer(tmp_path, settings(tmp_path, ["one.example", "two.example"]), clock) as daemon:
            assert f"'{key}' is damaged; put your copy back" in \
                daemon.log.wait_for("acme: no certificates are ordered for")
            assert "is damaged" in row(daemon, "two.example")["error"]
            assert key.read_bytes() == copy[:100] and daemon.serves("one.example", ca.bundle)
            key.write_bytes(copy)
            daemon.pass_time(2 * MINUTE_S)
            daemon.wait_served(ca.bundle, "two.example")
    assert "There are now 2 accounts" not in ca.log()
