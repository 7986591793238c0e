# SPDX-License-Identifier: MIT
"""A CA that is down, confused or unwilling: orders wait and say why, and then go on by themselves."""

import datetime
import time

import pytest

from front import DIRECTORY, NEW_ACCOUNT, NEW_ORDER, Front, problem
from names import OTHER_MACHINE, policy_hosts
from ordering import Orderer, settings
from processes import eventually
from test_list import states

HOUR_S = 3600
HELD = "acme: no certificates are ordered for "
NEW_NONCE, AUTHORIZATION, FINALIZE, CERTIFICATE = "/nonce-plz", "/authZ", "/finalize-order", "/certZ"


def cut(handler):
    """Promises more than it sends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                        b"Content-Length: 700\r\n\r\n{\"newNonce\": \"https://")


def page(status, text):
    return status, {"Content-Type": "text/html", "Replay-Nonce": "bm9uY2U"}, text


GATEWAY = page(503, b"<html>\n<h1>503 Service Unavailable</h1>\n</html>\n")
PARKED = page(200, b"<html>Welcome to nginx!</html>\n")
EMPTY = page(200, b"")
HALF = 200, {"Content-Type": "application/json", "Replay-Nonce": "bm9uY2U"}, b'{"newNonce": '
MAINTENANCE = problem(503, "serverInternal", "The service is down for maintenance")

# What is asked for, the answer, and what the line in the log says.
TROUBLES = [
    ("/dir", GATEWAY, "or acme.directory is not the URL"),
    ("/dir", PARKED, "or acme.directory is not the URL"),
    ("/dir", HALF, "or acme.directory is not the URL"),
    ("/dir", EMPTY, "or acme.directory is not the URL"),
    ("/dir", MAINTENANCE, "serverInternal: The service is down for maintenance"),
    (NEW_NONCE, GATEWAY, "cannot be reached"),
    (NEW_ACCOUNT, GATEWAY, "no answer that can be used"),
    (NEW_ACCOUNT, PARKED, "location not found"),
    (NEW_ACCOUNT, problem(429, "rateLimited", "too many registrations"), "too many registrations"),
]
# The same once there is an account.
TROUBLES_OF_ORDERS = [
    ("/dir", GATEWAY, "or acme.directory is not the URL"),
    (NEW_ORDER, GATEWAY, "no answer that can be used"),
    (NEW_ORDER, HALF, "no answer that can be used"),
    (NEW_ORDER, MAINTENANCE, "serverInternal: The service is down for maintenance"),
    (AUTHORIZATION, PARKED, "no answer that can be used"),
    (FINALIZE, GATEWAY, "no answer that can be used"),
    (CERTIFICATE, GATEWAY, "no answer that can be used"),
]


def fronted(folder, domains, **keys):
    return settings(folder, domains, acme={"directory": DIRECTORY}, **keys)


def meet(daemon, front, path, answer, words, pause_s=2 * HOUR_S):
    """Has the next order meet the trouble, which holds all orders."""
    front.rules = [(path, answer)]
    n_before = len(daemon.log.lines)
    daemon.pass_time(pause_s)
    assert words in daemon.log.wait_for(HELD, n_before), (path, answer)


def test_down_from_the_start(internet, ca, pki, clock, tmp_path):
    """Nobody answers, or nonsense: one line tells why, who asks is told, and all are ordered then."""
    domains = ["one.example", "own.example"]
    internet.publish(*policy_hosts(*domains))
    pki.issue(tmp_path / "live/mta-sts.own.example", "mta-sts.own.example")
    own = {"chain": f"{tmp_path}/live/{{host}}/chain.pem", "key": f"{tmp_path}/live/{{host}}/key.pem"}
    front = Front(pki)
    with ca.serving(), Orderer(tmp_path, fronted(tmp_path, domains, certificates=[own]),
                               clock) as daemon:
        assert "cannot be reached: GET " in daemon.log.wait_for(HELD)
        row = states(daemon)["one.example"]
        assert row["state"] == "missing" and "Couldn't connect to server" in row["error"]
        assert row["next_try"] and daemon.metric("acme_held_until_timestamp_seconds") > 0
        with front.serving():
            for trouble in TROUBLES:
                meet(daemon, front, *trouble)
            # Who serves without the CA serves on.
            assert daemon.serves("own.example", pki.ca)
            front.rules = []
            daemon.pass_time(2 * HOUR_S)
            daemon.wait_served(ca.bundle, "one.example")
            assert states(daemon)["one.example"]["error"] is None
            assert daemon.metric("acme_held_until_timestamp_seconds") == 0


def test_down_in_the_middle(internet, ca, pki, clock, tmp_path):
    """At each step of an order. Who is served stays so, and nothing of what failed is left."""
    domains = ["one.example", "two.example"]
    internet.publish(*policy_hosts(*domains))
    front = Front(pki)
    with ca.serving(), front.serving(), \
            Orderer(tmp_path, fronted(tmp_path, domains[:1]), clock) as daemon:
        daemon.wait_served(ca.bundle, domains[0])
        front.rules = [(NEW_ORDER, cut)]
        daemon.change(fronted(tmp_path, domains))
        assert "cannot be reached: POST " in daemon.log.wait_for(HELD)
        for trouble in TROUBLES_OF_ORDERS:
            meet(daemon, front, *trouble, pause_s=30 * HOUR_S)
            assert states(daemon)["two.example"]["state"] == "failing"
            assert daemon.serves("one.example", ca.bundle)
        front.rules = []
        daemon.pass_time(30 * HOUR_S)
        daemon.wait_served(ca.bundle, *domains)
        eventually(lambda: not daemon.challenges(), "no challenge is left")
        assert {row["state"] for row in states(daemon).values()} == {"valid"}
    assert "There are now 2 accounts" not in ca.log()


def date_after(clock, seconds):
    at = datetime.datetime.fromtimestamp(clock.now() + seconds, datetime.timezone.utc)
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def test_rate_limit_of_an_account(internet, ca, pki, clock, tmp_path):
    """It holds all back until the time that the CA names; who waits for DNS or a person does so still."""
    internet.publish(*policy_hosts("good.example", "late.example", "paused.example"),
                     f"mta-sts.elsewhere.example. A {OTHER_MACHINE}")
    front = Front(pki)
    front.rules = [(NEW_ORDER, PAUSE)]
    with ca.serving(), front.serving(), \
            Orderer(tmp_path, fronted(tmp_path, ["paused.example"]), clock) as daemon:
        eventually(lambda: states(daemon)["paused.example"]["state"] == "paused", "a pause", 60)
        front.rules = []
        daemon.change(fronted(tmp_path, ["elsewhere.example", "good.example", "paused.example"]))
        daemon.wait_served(ca.bundle, "good.example")
        eventually(lambda: states(daemon)["elsewhere.example"]["state"] == "waiting", "a look", 60)
        before = states(daemon)
        asked = front.count(NEW_ORDER)
        front.rules = [(NEW_ORDER, problem(
            429, "rateLimited", "too many new orders (300) from this account in the last 3h0m0s, "
            f"retry after {date_after(clock, 1800)}: see https://letsencrypt.org/docs/"))]
        daemon.change(fronted(tmp_path, [*before, "late.example"]))
        assert "for 30 minutes: " in daemon.log.wait_for(HELD)
        front.rules = []
        daemon.pass_time(1700)
        daemon.ask("--reload")
        assert front.count(NEW_ORDER) == asked + 1
        listed = states(daemon)
        assert {name: listed[name]["state"] for name in before} == {
            "good.example": "valid", "elsewhere.example": "waiting", "paused.example": "paused"}
        assert abs(daemon.metric("acme_held_until_timestamp_seconds") - clock.now() - 100) < 60
        daemon.pass_time(200)
        daemon.wait_served(ca.bundle, "late.example")


@pytest.mark.parametrize("detail", [
    'too many failed authorizations (5) for "mta-sts.often.example" in the last 1h0m0s',
    "too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s",
], ids=["authorizations", "certificates"])
def test_rate_limit_of_a_host(internet, ca, pki, clock, tmp_path, detail):
    """Let's Encrypt's limits of one name hold no other name back."""
    internet.publish(*policy_hosts("often.example", "other.example"))
    front = Front(pki)
    front.rules = [(NEW_ORDER, problem(429, "rateLimited",
                                       f"{detail}, retry after {date_after(clock, 7 * HOUR_S)}: see"))]
    with ca.serving(), front.serving(), \
            Orderer(tmp_path, fronted(tmp_path, ["often.example"]), clock) as daemon:
        assert "in 7 hours" in daemon.log.wait_for("often.example: no certificate was issued")
        front.rules = []
        daemon.change(fronted(tmp_path, ["often.example", "other.example"]))
        daemon.wait_served(ca.bundle, "other.example")
        assert not daemon.log.find(HELD)
        daemon.pass_time(8 * HOUR_S)
        daemon.wait_served(ca.bundle, "often.example")


LINK = "https://portal.letsencrypt.org/sfe/v1/unpause?jwt=eyJhbGciOiJIUzI1NiJ9." + "x" * 500
PAUSE = problem(429, "rateLimited",
                "Your account is temporarily prevented from requesting certificates for "
                f"mta-sts.paused.example and possibly others. Please visit: {LINK}")


def test_paused_by_the_authority(internet, ca, pki, clock, tmp_path):
    """A state of its own with the whole link to open; other hosts go on, and it does a day later."""
    internet.publish(*policy_hosts("paused.example", "other.example"))
    front = Front(pki)
    front.rules = [(NEW_ORDER, PAUSE)]
    with ca.serving(), front.serving(), \
            Orderer(tmp_path, fronted(tmp_path, ["paused.example"]), clock) as daemon:
        eventually(lambda: states(daemon)["paused.example"]["state"] == "paused", "a pause", 60)
        assert LINK in daemon.log.wait_for("error: acme: mta-sts.paused.example: ")
        front.rules = []
        daemon.change(fronted(tmp_path, ["paused.example", "other.example"]))
        daemon.wait_served(ca.bundle, "other.example")
        daemon.pass_time(12 * HOUR_S)
        time.sleep(1)
        row = states(daemon)["paused.example"]
        assert row["state"] == "paused" and LINK in row["error"]
        assert daemon.metric('acme_hosts{state="paused"}') == 1
        assert LINK in daemon.ask("--certificates").stdout.decode()
        # A person has opened the link.
        daemon.pass_time(19 * HOUR_S)
        daemon.wait_served(ca.bundle, "paused.example")


def test_refused_nonces(internet, ca, tmp_path):
    """Of a CA that refuses 1 of 5 nonces; an order that has met too many is made again in seconds."""
    domains = [f"c{i}.example" for i in range(4)]
    internet.publish(*policy_hosts(*domains))
    with ca.serving({"PEBBLE_WFE_NONCEREJECT": "20"}), \
            Orderer(tmp_path, settings(tmp_path, domains)) as daemon:
        daemon.wait_served(ca.bundle, *domains, patience_s=300)
        assert not daemon.challenges()
