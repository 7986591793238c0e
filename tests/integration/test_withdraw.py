# SPDX-License-Identifier: MIT
"""--withdraw: what to do now and until when, at each step of leaving (RFC 8461 8.3)."""

import datetime
import time

import daemon as harness

ID = "0123456789abcdef0123456789abcdef"
DAY_S = 86400


def ask(folder, domains, lines=None, domain="example.com"):
    """Asks with these domains and, unless None, a ledger of these lines; returns status and text."""
    settings = {"domains": domains}
    if lines is not None:
        settings["state"] = str(folder)
        (folder / "ledger").write_text("\n".join(["mta-stsd ledger 1", *lines, ""]))
    path = harness.write_configuration(folder / "mta-stsd.yaml", settings)
    result = harness.run("-c", path, "--withdraw", domain)
    return result.returncode, (result.stdout + result.stderr).decode()


def serves(days_ago, mode, max_age_s, domain="example.com", delegated="-"):
    at = int(time.time()) - days_ago * DAY_S
    return f"{at} serves {domain} {ID} {mode} {max_age_s} {domain} {delegated} - mx.example.com"


def ends(days_ago, domain="example.com"):
    return f"{int(time.time()) - days_ago * DAY_S} ends {domain}"


def date_in(days):
    """As it is printed, without the time of day."""
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return f"{at.day} {at:%B} {at.year}"


ENFORCE = {"example.com": {"mx": ["mx.example.com"], "mode": "enforce", "max_age": "2w"}}
NONE = {"example.com": {"mx": ["mx.example.com"], "mode": "none", "max_age": "1d"}}
OTHER = {"example.net": {"mx": ["mx.example.net"]}}


def test_begin(tmp_path):
    status, text = ask(tmp_path, ENFORCE, [serves(100, "enforce", 14 * DAY_S)])
    assert status == 1
    assert "1. Now: give it `mode: none`" in text and f"until {date_in(14)}" in text


def test_begin_after_a_longer_max_age(tmp_path):
    """It was 60 days until 10 days ago: some senders hold that."""
    status, text = ask(tmp_path, ENFORCE, [serves(100, "enforce", 60 * DAY_S),
                                           serves(10, "enforce", 14 * DAY_S)])
    assert status == 1 and f"until {date_in(50)}" in text


def test_begin_without_ledger(tmp_path):
    status, text = ask(tmp_path, ENFORCE)
    assert status == 1
    assert f"until {date_in(14)}" in text
    assert "the ledger does not say (see `state:`)" in text


def test_wait(tmp_path):
    status, text = ask(tmp_path, NONE, [serves(100, "enforce", 14 * DAY_S),
                                        serves(4, "none", DAY_S)])
    assert status == 1
    assert f"Go on serving it until {date_in(10)}" in text


def test_finish(tmp_path):
    status, text = ask(tmp_path, NONE, [serves(100, "enforce", 14 * DAY_S),
                                        serves(15, "none", DAY_S)])
    assert status == 0
    assert "no sender holds an earlier policy any more" in text
    assert "_mta-sts.example.com, mta-sts.example.com" in text


def test_none_without_ledger(tmp_path):
    status, text = ask(tmp_path, NONE)
    assert status == 1 and "for the longest max_age that it ever had" in text


def test_gone_too_early(tmp_path):
    status, text = ask(tmp_path, OTHER, [serves(100, "enforce", 14 * DAY_S), ends(4)])
    assert status == 1
    assert f"Senders may hold its policy (mode enforce) until {date_in(10)}" in text
    assert "Serve it again" in text


def test_gone(tmp_path):
    status, text = ask(tmp_path, OTHER, [serves(100, "enforce", 14 * DAY_S, delegated="sts.example"),
                                         serves(30, "none", DAY_S, delegated="sts.example"),
                                         ends(4)])
    assert status == 0
    assert "example.com has left" in text and "_mta-sts.example.com.sts.example" in text


def test_gone_in_mode_enforce(tmp_path):
    """Some senders take the record in DNS for a reason to go on enforcing."""
    status, text = ask(tmp_path, OTHER, [serves(100, "enforce", 14 * DAY_S), ends(30)])
    assert status == 0 and "example.com has left" in text
    assert f"do not move its mail to other hosts before {date_in(14)}" in text


def test_unknown_domain(tmp_path):
    status, text = ask(tmp_path, OTHER, [])
    assert status == 2
    assert "'example.com' is not a domain of the configuration; did you mean 'example.net'?" in text


def test_damaged_ledger(tmp_path):
    """A line that cannot be read may be the one that matters."""
    status, text = ask(tmp_path, NONE, [serves(100, "enforce", 14 * DAY_S),
                                        "17643700 serves example.com rubb",
                                        serves(90, "none", DAY_S)])
    assert status == 1
    assert "line 3 is damaged and is ignored, so some dates are unknown" in text


def test_foreign_ledger(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "ledger").write_text("Dear diary,\n")
    path = harness.write_configuration(tmp_path / "mta-stsd.yaml",
                                       {"domains": NONE, "state": str(tmp_path / "state")})
    result = harness.run("-c", path, "--withdraw", "example.com")
    assert result.returncode == 3
    assert "/ledger' is no ledger of mta-stsd, or one of a later version" in result.stderr.decode()
