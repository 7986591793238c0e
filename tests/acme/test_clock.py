# SPDX-License-Identifier: MIT
"""A machine whose clock is wrong, while that of the CA is right."""

from names import policy_hosts
from ordering import Orderer, settings
from processes import eventually
from test_list import states

DOMAINS = ("one.example", "two.example")
DAY_S = 24 * 60 * 60


def test_clock_ahead_at_the_start(internet, ca, clock, tmp_path):
    """What the CA issues seems over: it is served, said, and not ordered again and again."""
    internet.publish(*policy_hosts(*DOMAINS))
    clock.shift(5 * DAY_S)
    with ca.serving(certificateValidityPeriod=4 * DAY_S), \
            Orderer(tmp_path, settings(tmp_path, DOMAINS), clock) as daemon:
        for domain in DOMAINS:
            daemon.log.wait_for(f"error: acme: mta-sts.{domain}: this machine's clock is wrong: it says")
        daemon.wait_served(ca.bundle, *DOMAINS)
        daemon.pass_time(60 * 60)
        daemon.ask("--reload")
        assert daemon.metric('acme_orders_total{result="issued"}') == len(DOMAINS)
        row = states(daemon)[DOMAINS[0]]
        assert row["state"] == "failing" and "set the clock" in row["error"]
    with ca.serving(), Orderer(tmp_path, settings(tmp_path, DOMAINS), clock) as daemon:
        eventually(lambda: states(daemon)[DOMAINS[0]]["state"] == "failing", "the book is read", 60)
        clock.shift(0)
        daemon.reload()
        eventually(lambda: {row["state"] for row in states(daemon).values()} == {"valid"},
                   "the right time", 90)
        eventually(lambda: not any("set the clock" in (row["error"] or "")
                                   for row in states(daemon).values()),
                   "nothing is said of the clock", 90)
        assert daemon.metric('acme_orders_total{result="issued"}') == 0


def test_clock_far_ahead(internet, ca, clock, tmp_path):
    """By such a clock the signatures of the root zone are over: nothing is ordered, and why is said."""
    internet.publish(*policy_hosts("customer.example"))
    clock.shift(60 * DAY_S)
    with ca.serving(), Orderer(tmp_path, settings(tmp_path, ["customer.example"]), clock) as daemon:
        line = daemon.log.wait_for("mta-sts.customer.example: no certificate can be ordered yet")
        assert "signature expired" in line and "this machine's clock may be wrong" in line
        clock.shift(0)
        daemon.ask("--reload")
        daemon.wait_served(ca.bundle, "customer.example")


def test_clock_that_jumps(internet, ca, clock, tmp_path):
    """Ahead and back while the daemon runs: a renewal too many, and all is as before."""
    internet.publish(*policy_hosts("customer.example"))

    def row():
        return states(daemon)["customer.example"]

    with ca.serving(certificateValidityPeriod=6 * DAY_S), Orderer(tmp_path, settings(
            tmp_path, ["customer.example"], acme={"orders_per_hour": 2}), clock) as daemon:
        daemon.wait_served(ca.bundle, "customer.example")
        daemon.pass_time(5 * DAY_S)
        daemon.log.wait_for("this machine's clock is wrong")
        assert row()["state"] == "expiring" and "set the clock" in row()["error"]
        daemon.pass_time(-5 * DAY_S)
        eventually(lambda: row()["state"] == "valid" and row()["error"] is None, "the right time", 90)
        assert daemon.serves("customer.example", ca.bundle)
        assert daemon.metric('acme_orders_total{result="issued"}') == 2
        # The orders of the time ahead do not take the room of those of now.
        internet.publish(*policy_hosts("customer.example", "next.example"))
        daemon.change(settings(tmp_path, ["customer.example", "next.example"],
                               acme={"orders_per_hour": 2}))
        eventually(lambda: "its turn" in (states(daemon)["next.example"]["error"] or ""), "a turn", 90)
        daemon.pass_time(60 * 60)
        daemon.wait_served(ca.bundle, "next.example")
