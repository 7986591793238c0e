# SPDX-License-Identifier: MIT
"""What `notify:` tells of, each made to happen: certificates, checks, DNS, verdicts, removals, and
the digest. test_notify.py has the program and what is told of reloads."""

import json
import shutil
import time

import daemon as harness
from operated import Operated, wait_until
from test_notify import (DAY_S, POLICY, clock_in_test, looked, receiver_in_test,  # noqa: F401
                         settings_of, shifted)

CERTIFICATE = ("certificate", "other.example", "certificate-missing")
CHECKED = {"severity": "error", "code": "cert-name", "subject": None,
           "text": "the certificate is for <b>others</b>\n", "meaning": "senders refuse it",
           "advice": "renew it", "source": "RFC 8461"}
LISTED = 'condition_lists_total{result="good"}'


def list_again(daemon, settings):
    """A reload has the conditions listed in ten seconds."""
    before = daemon.metric(LISTED)
    assert daemon.change(settings).returncode == 0
    wait_until(lambda: daemon.metric(LISTED) > before, "a list", 60)


def write_check(folder, *findings, is_untried=False):
    """As a check of the daemon's leaves it."""
    verdict = "unknown" if is_untried else "lost"
    domain = {"domain": "example.com", "hosted": True, "verdict": verdict, "text": verdict,
              "findings": list(findings)}
    path = folder / "state" / "check.json"
    path.parent.mkdir(exist_ok=True)
    new = path.with_suffix(".part")
    new.write_text(json.dumps({"domains": [domain] if findings or is_untried else [],
                               "checked": 1}))
    new.rename(path)


def test_certificate(pki, tmp_path, receiver):
    """One that goes missing is told, and one that comes."""
    folder = tmp_path / "live"
    pki.issue(folder / "mta-sts.other.example", "mta-sts.other.example")
    settings = settings_of(pki, tmp_path, receiver, {"other.example": POLICY}, certificates=[
        {"chain": f"{folder}/{{host}}/chain.pem", "key": f"{folder}/{{host}}/key.pem"}])
    with Operated(tmp_path, settings) as daemon:
        looked(daemon)
        shutil.move(folder / "mta-sts.other.example", tmp_path / "away")
    with Operated(tmp_path, settings) as daemon:
        notice = receiver.wait_for("began", *CERTIFICATE)
        assert "mta-sts.other.example" in notice["text"]
        shutil.move(tmp_path / "away", folder / "mta-sts.other.example")
        assert daemon.ask("--reload").returncode == 0
        receiver.wait_for("ended", *CERTIFICATE)
    assert len([each for each in receiver.told() if each[1] == "certificate"]) == 2


def test_expiring_certificate(pki, tmp_path, receiver, clock):
    """One that nobody renews is told, and that somebody has."""
    folder = tmp_path / "live" / "mta-sts.other.example"
    expiring = ("certificate", "other.example", "certificate-expiring")
    pki.issue(folder, "mta-sts.other.example", days=90)
    settings = settings_of(pki, tmp_path, receiver, {"other.example": POLICY}, certificates=[
        {"chain": f"{folder}/chain.pem", "key": f"{folder}/key.pem"}])
    with Operated(tmp_path, settings, wrapper=shifted(clock)) as daemon:
        looked(daemon)
        clock.shift(80 * DAY_S)
        assert daemon.ask("--reload").returncode == 0
        assert "valid until" in receiver.wait_for("began", *expiring)["text"]
        assert daemon.ask("--reload").returncode == 0
        pki.issue(folder, "mta-sts.other.example", days=180)
        assert daemon.ask("--reload").returncode == 0
        receiver.wait_for("ended", *expiring)
    assert len(receiver.told()) == 2


def test_check(pki, tmp_path, receiver):
    """An error that appears is told, and that it is gone: not when it was not looked for."""
    settings = settings_of(pki, tmp_path, receiver)
    write_check(tmp_path)
    with Operated(tmp_path, settings) as daemon:
        looked(daemon)
        write_check(tmp_path, CHECKED, dict(CHECKED, severity="warning", code="cert-chain"))
        list_again(daemon, settings)
        notice = receiver.wait_for("began", "check", "example.com", "cert-name")
        assert notice["text"] == "the certificate is for <b>others</b> : senders refuse it"
        assert notice["advice"] == "renew it"
        write_check(tmp_path, is_untried=True)
        list_again(daemon, settings)
        assert len(receiver.told()) == 1
        write_check(tmp_path)
        list_again(daemon, settings)
        receiver.wait_for("ended", "check", "example.com", "cert-name")
        assert len(receiver.told()) == 2


def served_for(folder, seconds):
    """The ledger says that all is served for so long."""
    path = folder / "state" / "ledger"
    head, *lines = path.read_text().splitlines()
    lines = [f"{int(line.split(' ', 1)[0]) - seconds} {line.split(' ', 1)[1]}" for line in lines]
    path.write_text("\n".join([head, *lines, ""]))


def test_dns(pki, tmp_path, receiver, clock):
    """By a real check: not before there was an hour to publish; then there is one more check."""
    settings = settings_of(pki, tmp_path, receiver, {"customer.test": POLICY},
                           check={"every": "30d"})
    missing = ("dns", "customer.test", "txt-missing")
    checks = 'check_runs_total{result="good"}'
    with Operated(tmp_path, settings, wrapper=shifted(clock)) as daemon:
        looked(daemon)
        wait_until(lambda: daemon.metric(checks) == 1, "a check", 120)
        conditions = tmp_path / "state" / "conditions"
        wait_until(lambda: "\nrecheck\t" in conditions.read_text(), "a time to check again", 60)
        assert "\nunclear\tdns\tcustomer.test\n" in conditions.read_text()
        assert not receiver.told()
        clock.shift(2 * 3600)
        assert daemon.ask("--reload").returncode == 0  # which has all looked at
        wait_until(lambda: daemon.metric(checks) >= 2, "the check after the hour", 120)
    clock.shift(0)  # the disk's clock was not moved with the daemon's, and so the results are not
    served_for(tmp_path, 2 * 3600)
    with Operated(tmp_path, settings) as daemon:
        receiver.wait_for("began", *missing)
        write_check(tmp_path)
        list_again(daemon, settings)
        receiver.wait_for("ended", *missing)


def report(domain, day, failed):
    date = time.strftime("%Y-%m-%d", time.gmtime(day * DAY_S))
    return json.dumps({
        "organization-name": "Sender", "contact-info": "a@sender.example",
        "report-id": f"{date}-{failed}", "date-range": {"start-datetime": f"{date}T00:00:00Z",
                                                        "end-datetime": f"{date}T23:59:59Z"},
        "policies": [{
            "policy": {"policy-type": "sts", "policy-domain": domain, "mx-host": ["mx.example.com"],
                       "policy-string": ["version: STSv1", "mode: testing", "mx: mx.example.com",
                                         "max_age: 604800"]},
            "summary": {"total-successful-session-count": 50,
                        "total-failure-session-count": failed},
            "failure-details": [{"result-type": "certificate-expired",
                                 "failed-session-count": failed,
                                 "receiving-mx-hostname": "mx.example.com"}]}]})


def test_verdict(pki, tmp_path, receiver):
    """By a real report: another verdict than before is told, with its reason."""
    settings = settings_of(pki, tmp_path, receiver)
    with Operated(tmp_path, settings) as daemon:
        looked(daemon)
        assert "open\tverdict\texample.com\tno-data\t" in (
            tmp_path / "state" / "notices").read_text()
        path = tmp_path / "report.json"
        path.write_text(report("example.com", int(time.time()) // DAY_S - 1, 30))
        harness.run("-c", daemon.config_path, "--import-report", path)
        list_again(daemon, settings)
        wait_until(lambda: receiver.told(), "a notice", 60)
        event, kind, domain, code = receiver.told()[0]
        assert (event, kind, domain) == ("began", "verdict", "example.com")
        assert code in ("broken", "not-yet")
        assert receiver.notices()[0]["text"].startswith("The verdict is ")
        list_again(daemon, settings)
        time.sleep(6)
        assert len(receiver.told()) == 1


def test_removal(pki, tmp_path, receiver, clock):
    """By a real ledger, when no sender holds the policy any more."""
    domains = {"example.com": dict(POLICY, max_age="1w")}
    none = settings_of(pki, tmp_path, receiver, {"example.com": dict(POLICY, mode="none")})
    removable = ("removal", "example.com", "removable")
    with Operated(tmp_path, settings_of(pki, tmp_path, receiver, domains),
                  wrapper=shifted(clock)) as daemon:
        looked(daemon)
        list_again(daemon, none)
        assert not receiver.told()
        clock.shift(8 * DAY_S)
        list_again(daemon, none)
        receiver.wait_for("began", *removable)
        list_again(daemon, settings_of(pki, tmp_path, receiver, domains))
        receiver.wait_for("ended", *removable)


def test_digest(pki, tmp_path, receiver, clock):
    """What was open at the start comes with the first one; the next one has what has ended."""
    settings = settings_of(pki, tmp_path, receiver, {"example.com": POLICY},
                           {"digest": "daily"})
    write_check(tmp_path, CHECKED)
    with Operated(tmp_path, settings, wrapper=shifted(clock)) as daemon:
        looked(daemon)
        assert not receiver.told()
        clock.shift(2 * 3600)
        assert daemon.ask("--reload").returncode == 0
        receiver.wait_for("digest", "check", "example.com", "cert-name")
        document = receiver.documents()[-1]
        assert document["digest"]["open"] == document["digest"]["began"] == 1
        assert document["summary"].endswith(": digest: 1 open, 1 began, 0 ended")
        write_check(tmp_path)
        list_again(daemon, settings)
        receiver.wait_for("ended", "check", "example.com", "cert-name")
        clock.shift(2 * DAY_S)
        assert daemon.ask("--reload").returncode == 0
        wait_until(lambda: len(receiver.documents()) == 3, "the next digest", 60)
        document = receiver.documents()[-1]
        assert document["digest"]["ended"] == 1 and document["digest"]["open"] == 0
        assert "until" in document["notices"][0]
        clock.shift(4 * DAY_S)
        assert daemon.ask("--reload").returncode == 0
        time.sleep(12)
        assert len(receiver.documents()) == 3  # there is nothing to say


def test_many_at_once(pki, tmp_path, receiver):
    """A thousand domains that break are one run; the document is bounded, and says so."""
    names = [f"d{number}.example" for number in range(1500)]
    settings = settings_of(pki, tmp_path, receiver, {name: POLICY for name in names})
    write_check(tmp_path)
    with Operated(tmp_path, settings) as daemon:
        looked(daemon)
        (tmp_path / "state" / "check.json").write_text(json.dumps({"domains": [
            {"domain": name, "verdict": "lost", "text": "lost", "findings": [CHECKED]}
            for name in names]}))
        list_again(daemon, settings)
        daemon.log.wait_for("was told 1500 notices$")
        document, = receiver.documents()
        assert (len(document["notices"]), document["left_out"]) == (1000, 500)
