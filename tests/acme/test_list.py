# SPDX-License-Identifier: MIT
"""--certificates where a daemon orders: each state, as a person sees it."""

import json

from front import DIRECTORY, NEW_ORDER, Front, problem
from names import OTHER_MACHINE, policy_hosts
from ordering import Orderer, settings
from processes import eventually


def states(daemon):
    rows = json.loads(daemon.ask("--certificates", "--json").stdout)
    return {row["domain"]: row for row in rows}


def test_states(internet, ca, pki, tmp_path):
    """Valid, waiting for DNS, and of certificates: that are not ordered."""
    pki.issue(tmp_path / "live/mta-sts.own.example", "mta-sts.own.example")
    internet.publish(*policy_hosts("good.example", "own.example"),
                     f"mta-sts.elsewhere.example. A {OTHER_MACHINE}")
    own = {"chain": f"{tmp_path}/live/{{host}}/chain.pem", "key": f"{tmp_path}/live/{{host}}/key.pem"}
    configuration = settings(tmp_path, ["good.example", "elsewhere.example", "own.example"],
                             certificates=[own])
    with ca.serving(), Orderer(tmp_path, configuration) as daemon:
        daemon.wait_served(ca.bundle, "good.example")
        eventually(lambda: states(daemon)["elsewhere.example"]["state"] == "waiting", "a check", 60)
        listed = states(daemon)
        assert {domain: row["state"] for domain, row in listed.items()} == {
            "good.example": "valid", "elsewhere.example": "waiting", "own.example": "foreign"}
        assert "Pebble Intermediate CA" in listed["good.example"]["issuer"]
        assert OTHER_MACHINE in listed["elsewhere.example"]["error"]
        assert listed["elsewhere.example"]["next_try"].startswith("20")
        daemon.log.wait_for("elsewhere.example: .*; it is tried again in .*, and after mta-stsd --reload")
        assert "; mta-stsd --certificates says when the daemon orders one\n" in \
            daemon.ask("--print-dns").stdout.decode()
        text = daemon.ask("--certificates").stdout.decode()
        assert OTHER_MACHINE in text and "    next try: " in text and "    renewal: " in text
    # Without a daemon, by the files alone.
    listed = states(daemon)
    assert "no daemon answers" in listed["elsewhere.example"]["error"]
    assert listed["good.example"]["error"] is None
    assert {domain: row["state"] for domain, row in listed.items()} == {
        "good.example": "valid", "elsewhere.example": "missing", "own.example": "valid"}


def test_failing(internet, ca, pki, tmp_path):
    """A CA that refuses one host is named with what it says; the other host has its certificate."""
    internet.publish(*policy_hosts("good.example", "blocked.example"))
    with ca.serving(domainBlocklist=["mta-sts.blocked.example"]), \
            Orderer(tmp_path, settings(tmp_path, ["good.example", "blocked.example"])) as daemon:
        daemon.wait_served(ca.bundle, "good.example")
        eventually(lambda: states(daemon)["blocked.example"]["state"] == "failing", "a failure", 60)
        row = states(daemon)["blocked.example"]
        assert "rejectedIdentifier" in row["error"] and row["next_try"]
        assert row["not_after"] is None


def test_paused(internet, ca, pki, tmp_path):
    """Let's Encrypt's answer for a host that has failed too often; a person has to open a link."""
    internet.publish(*policy_hosts("paused.example"))
    front = Front(pki)
    front.rules.append((NEW_ORDER, problem(
        429, "rateLimited", "Your account is temporarily prevented from requesting certificates for "
        "mta-sts.paused.example and possibly others. Please visit: "
        "https://portal.letsencrypt.org/sfe/v1/unpause?jwt=abc")))
    with ca.serving(), front.serving(), Orderer(tmp_path, settings(
            tmp_path, ["paused.example"], acme={"directory": DIRECTORY})) as daemon:
        eventually(lambda: states(daemon)["paused.example"]["state"] == "paused", "a pause", 60)
        assert "portal.letsencrypt.org" in states(daemon)["paused.example"]["error"]


def test_turns(internet, ca, tmp_path):
    """A host for whose order the rate has no room yet: that is why, and when there will be."""
    domains = ["one.example", "two.example"]
    internet.publish(*policy_hosts(*domains))
    with ca.serving(), Orderer(tmp_path, settings(tmp_path, domains,
                                                  acme={"orders_per_hour": 1})) as daemon:
        daemon.log.wait_for("a new certificate is installed")
        rows = states(daemon).values()
        row = next(row for row in rows if row["state"] == "missing")
        assert row["error"] == ("it waits for its turn: acme.orders_per_hour allows 1 order an hour")
        assert row["next_try"]
        daemon.change(settings(tmp_path, domains, acme={"orders_per_hour": 2}))
        daemon.wait_served(ca.bundle, *domains)


def test_two_daemons(internet, ca, tmp_path):
    """With one state directory: the second says that it orders nothing, and does not disturb the first."""
    internet.publish(*policy_hosts("one.example", "two.example"))
    with ca.serving(), Orderer(tmp_path, settings(tmp_path, ["one.example"])) as daemon:
        daemon.wait_served(ca.bundle, "one.example")
        (tmp_path / "second").mkdir()
        with Orderer(tmp_path / "second", settings(
                tmp_path, ["one.example", "two.example"], OTHER_MACHINE,
                control=str(tmp_path / "second.sock"))) as second:
            assert "acme' is in use by another mta-stsd; each one needs a state: of its own" in \
                second.log.wait_for("acme: no certificates are ordered until the daemon is started again")
            assert states(second)["one.example"]["state"] == "valid"
            assert "the running daemon orders none" in states(second)["two.example"]["error"]
            assert second.serves("one.example", ca.bundle)
            daemon.change(settings(tmp_path, ["one.example", "two.example"]))
            daemon.wait_served(ca.bundle, "two.example")
