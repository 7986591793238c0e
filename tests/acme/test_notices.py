# SPDX-License-Identifier: MIT
"""`notify:` and the certificates that a daemon orders: one that does not come, and one not renewed."""

from names import POLICY_HOST, policy_hosts
from ordering import Orderer, settings
from test_faults import BEHIND, MINUTE_S, Proxy
from test_notify import Receiver, looked

LIFE_S = 180 * MINUTE_S
LATE_S = 160 * MINUTE_S  # a certificate is due after 120 minutes, and late after 150
NOT_ISSUED = ("certificate", "second.example", "not-issued")
NOT_RENEWED = ("certificate", "first.example", "not-renewed")


def fail(proxy, domain):
    proxy.wrong[f"mta-sts.{domain}"] = (404, b"no such page")


def configured(folder, receiver, *domains):
    return settings(folder, domains, notify={"run": [str(receiver.path)], "digest": "off"}, listen=[
        {"address": f"{POLICY_HOST}:443"}, {"address": f"{BEHIND}:80", "serve": "challenges"}])


def test_orders_that_fail(internet, ca, clock, tmp_path):
    """Each is told once, however often it is tried, and that it is over."""
    internet.publish(*policy_hosts("first.example", "second.example"))
    receiver, proxy = Receiver(tmp_path), Proxy()
    with ca.serving(certificateValidityPeriod=LIFE_S), proxy.serving(), \
            Orderer(tmp_path, configured(tmp_path, receiver, "first.example"), clock) as daemon:
        daemon.wait_served(ca.bundle, "first.example")
        looked(daemon)
        fail(proxy, "second.example")
        both = configured(tmp_path, receiver, "first.example", "second.example")
        assert daemon.change(both).returncode == 0
        notice = receiver.wait_for("began", *NOT_ISSUED)
        assert "mta-sts.second.example" in notice["text"] and "unauthorized" in notice["text"]
        daemon.pass_time(6 * MINUTE_S)
        daemon.log.wait_for("mta-sts.second.example: no certificate was issued", count=2)
        proxy.wrong.clear()
        daemon.pass_time(11 * MINUTE_S)
        daemon.wait_served(ca.bundle, "second.example")
        daemon.reload()
        receiver.wait_for("ended", *NOT_ISSUED)
        fail(proxy, "first.example")
        daemon.pass_time(LATE_S - clock.shift_s)
        daemon.log.wait_for("mta-sts.first.example: .* is tried again")
        daemon.reload()
        notice = receiver.wait_for("began", *NOT_RENEWED)
        assert "which ends on" in notice["text"] and "unauthorized" in notice["text"]
        proxy.wrong.clear()
        daemon.pass_time(11 * MINUTE_S)
        daemon.log.wait_for("mta-sts.first.example: a new certificate is installed", count=2)
        # The CA's clock was not moved, so that by the daemon's the new one is nearly over, too.
        daemon.pass_time(-clock.shift_s)
        receiver.wait_for("ended", *NOT_RENEWED)
        # The receiver's files are in the order of the daemon's clock.
        told = sorted(told for told in receiver.told() if told[1:] in (NOT_ISSUED, NOT_RENEWED))
        assert told == sorted((event, *what) for what in (NOT_ISSUED, NOT_RENEWED)
                              for event in ("began", "ended"))
