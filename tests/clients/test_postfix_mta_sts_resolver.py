# SPDX-License-Identifier: MIT
"""Debian's postfix-mta-sts-resolver, alone and as the daemon that Postfix asks."""

import shutil

import pytest

from client import policy_id
from nameservers import ask
from network import RESOLVER
from processes import eventually
from provider import (BY_ADDRESS, BY_NAME, POLICIES, body_of, configuration, make_customer_zone,
                      mta_stsd, publish, records_of)
from senders import demands, lookup, mta_sts_daemon, query, secure

STANDARD = secure("mx1.provider.example", ".mx.provider.example")
NOT_FOUND = "NOTFOUND "
CHANGED = ["enforce.example", "delegated.example", "xn--wgv71a119e.example"]


@pytest.fixture(name="postfix_sts", scope="module", autouse=True)
def running_mta_sts_daemon(daemon, tmp_path_factory):
    del daemon
    with mta_sts_daemon(tmp_path_factory.mktemp("mta-sts-daemon")):
        yield


@pytest.fixture(name="change")
def change_in_test(daemon, knot):
    """Has a changed configuration served; the one from before comes back after the test."""
    before = daemon.config_path.read_text(encoding="utf-8")

    def change(old, new):
        assert old in before
        daemon.reload(before.replace(old, new))

    yield change
    daemon.reload(before)
    publish(knot, daemon.config_path)
    for domain in POLICIES:
        eventually(lambda: policy_id(body_of(domain)) in txt_of(domain), "the records of before")


def txt_of(domain):
    return ask(RESOLVER, f"_mta-sts.{domain}", "TXT")[0]["TXT"].to_text()


def policy_of(domain):
    mode, max_age, mx = POLICIES[domain]
    return {"version": "STSv1", "mode": mode, "max_age": max_age, "mx": mx}


@pytest.mark.parametrize("domain", POLICIES)
def test_policy_is_found(domain):
    id_ = policy_id(body_of(domain))
    assert query(domain) == ("VALID", id_, policy_of(domain))


def test_known_id_needs_no_fetch(daemon):
    n_before = len(daemon.access.lines)
    assert query("testing.example", policy_id(body_of("testing.example")))[0] == "NOT_CHANGED"
    assert not daemon.access.find("testing.example", n_before)


@pytest.mark.parametrize("map_name, domain, wanted", [
    ("postfix", "enforce.example", STANDARD),
    ("postfix", "delegated.example", STANDARD),
    ("postfix", "xn--wgv71a119e.example", STANDARD),
    ("postfix", "xn--bcher-kva.example", secure("mx.xn--bcher-kva.example")),
    ("postfix", "testing.example", NOT_FOUND),
    ("strict", "testing.example", STANDARD),
    ("strict", "half.example", STANDARD),
    ("strict", "none.example", NOT_FOUND),
    ("strict", "reports.example", NOT_FOUND),
    ("strict", "unknown.example", NOT_FOUND),
])
def test_what_postfix_is_told(map_name, domain, wanted):
    assert demands(lookup(map_name, domain)) == wanted


@pytest.mark.parametrize("domain", ["unknown.example", "reports.example", "sub.enforce.example"])
def test_no_record_no_policy(domain):
    assert query(domain)[0] == "NONE"


def test_refused_where_records_lead_here_but_no_policy_is_here(daemon, knot, pki, tmp_path):
    """A customer who has left; the records are still there, and so is the certificate."""
    pki.make("mta-sts.stranger.example")
    then = tmp_path / "then.yaml"
    then.write_text(configuration(pki, tmp_path).replace("  enforce.", "  stranger."),
                    encoding="utf-8")
    printed = mta_stsd(then, "--print-dns", "--no-certificates", "--domain", "stranger.example")
    publish(knot, daemon.config_path,
            more_zones={"stranger.example": make_customer_zone("stranger.example", printed)})
    n_before = len(daemon.log.lines)
    assert eventually(lambda: query("stranger.example")[0] != "NONE" and query("stranger.example"),
                      "the stranger's record is seen") == ("FETCH_ERROR", None, None)
    assert lookup("strict", "stranger.example") == NOT_FOUND
    assert "mta-sts.stranger.example" in daemon.log.wait_for("handshake .* is not served", n_before)


def test_new_policy_is_seen_with_its_record(daemon, knot, change):
    old, new = STANDARD, secure("mx1.provider.example", "mx2.provider.example")
    ids = {domain: query(domain)[1] for domain in CHANGED}
    assert all(demands(lookup("postfix", domain)) == old for domain in CHANGED)

    change('mx: [mx1.provider.example, "*.mx.provider.example"]',
           "mx: [mx1.provider.example, mx2.provider.example]")
    assert all(demands(lookup("postfix", domain)) == old for domain in CHANGED)
    publish(knot, daemon.config_path)
    for domain in CHANGED:
        eventually(lambda: demands(lookup("postfix", domain)) == new, f"{domain} is seen anew")
        result, id_, policy = query(domain, ids[domain])
        assert result == "VALID"
        assert policy == {**policy_of(domain),
                          "mx": ["mx1.provider.example", "mx2.provider.example"]}
        assert id_ == mta_stsd(daemon.config_path, "--print-id", domain).strip() != ids[domain]


def test_new_mode_is_seen_with_its_record(daemon, knot, change):
    change("  testing.example: standard", "  testing.example: {policy: standard, mode: enforce}")
    publish(knot, daemon.config_path)
    eventually(lambda: demands(lookup("postfix", "testing.example")) == STANDARD, "mode enforce")
    change("  testing.example: standard", "  testing.example: {policy: standard, mode: none}")
    publish(knot, daemon.config_path)
    eventually(lambda: lookup("postfix", "testing.example") == NOT_FOUND, "mode none")


def test_policy_host_by_address(daemon, knot, change):
    change(f"policy_host: {BY_NAME}", f"policy_host: {BY_ADDRESS}")
    publish(knot, daemon.config_path)
    for domain in CHANGED:
        eventually(lambda: "CNAME" not in ask(RESOLVER, f"mta-sts.{domain}", "A")[0], "addresses")
        assert query(domain) == ("VALID", policy_id(body_of(domain)), policy_of(domain))


@pytest.fixture(name="make_certificate")
def make_certificate_for_a_test(daemon, pki):
    yield lambda: pki.make("mta-sts.waiting.example")
    shutil.rmtree(pki.folder / "live/mta-sts.waiting.example")
    daemon.reload()


def test_new_domain_waits_for_its_certificate(daemon, knot, make_certificate):
    """waiting.example has all of its records but _mta-sts, which is withheld."""
    assert query("waiting.example")[0] == "NONE"
    make_certificate()
    assert not any(record["withheld"]
                   for record in records_of(daemon.config_path, "--domain", "waiting.example"))
    daemon.reload()
    publish(knot, daemon.config_path)
    eventually(lambda: query("waiting.example")[0] == "VALID", "the new domain's policy")
