# SPDX-License-Identifier: MIT
"""Postfix as a sender that follows DANE, with BIND as the resolver that validates for it: where we
say that such a sender refuses, it keeps the mail back, and where we say that it delivers, it does."""

import json
import os

import pytest

from daemon import run
from postfix import send_with_dane
from scenarios_mx import MX_SCENARIOS
from sts_resolver import resolving
from test_postfix import is_mapped

# Those without DANE and without a fault stand for all where a sender with DANE does as any other.
DOMAINS = [f"{name}.example" for name, each in MX_SCENARIOS.items()
           if each.dane != "absent" or name in ("dane-insecure", "both-families")]


@pytest.fixture(name="sent", scope="module")
def a_message_to_each(internet, tmp_path_factory):
    """{domain: (status, why)}"""
    if os.geteuid() != 0 or is_mapped():
        pytest.skip("Postfix changes its user, which root alone may")
    with resolving(tmp_path_factory.mktemp("resolver"), internet):
        yield send_with_dane(DOMAINS, internet.certificates)


@pytest.mark.parametrize("domain", DOMAINS)
def test_postfix_agrees(sent, checked, domain):
    verdict = checked[domain]["dane_verdict"]
    status, why = sent[domain]
    assert (status, why) == (("deferred", why) if verdict == "lost" else ("sent", "(250 taken)"))


def test_all_verdicts_are_compared(checked):
    """Each finding that is DANE's, and each verdict but "unknown"."""
    found = {finding["code"] for domain in DOMAINS for finding in checked[domain]["findings"]}
    listed = {row["code"] for row in json.loads(run("--list-checks", "--json").stdout)}
    assert {code for code in listed if code.startswith("tlsa-")} <= found
    assert {checked[domain]["dane_verdict"] for domain in DOMAINS} == \
        {"absent", "enforced", "partly-lost", "lost"}
