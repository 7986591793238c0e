# SPDX-License-Identifier: MIT
"""postfix-mta-sts-resolver on the same scenarios: where we say that senders ignore the policy, it
does, and where we say that they follow it, it does."""

import pytest

from scenarios import SCENARIOS
from sts_resolver import fetch_all, resolving


@pytest.fixture(name="fetched", scope="module")
def all_scenarios_fetched(internet, tmp_path_factory):
    """{domain: "VALID", "NONE", ...}"""
    with resolving(tmp_path_factory.mktemp("resolver"), internet):
        yield fetch_all(SCENARIOS)


# Where it does otherwise, and why. The check warns of what only some senders refuse.
OTHERWISE = {
    "backslash-quote.example": {"VALID"},
    "bad-id.example": {"VALID"},           # it passes over the grammar of ids
    "backslash-quote.example": {"VALID"},
    "mode-in-record.example": {"VALID"},   # and of extensions
    "mx-mail-address.example": {"VALID"},  # and of mx
    "mx-final-dot.example": {"VALID"},
    "mx-empty.example": {"VALID"},
    "lagging.example": {"VALID", "FETCH_ERROR"},  # by the name server that it happens to ask
    "compressed.example": {"FETCH_ERROR"},        # it has not asked for this encoding
    "only-with-alpn.example": {"FETCH_ERROR"},    # it names no protocol in the handshake
    "bots.example": {"FETCH_ERROR"},              # its User-Agent is refused
    "slow.example": {"FETCH_ERROR"},              # it waits for 4 seconds
}


@pytest.mark.parametrize("domain", SCENARIOS)
def test_agrees(fetched, checked, domain):
    verdict = checked[domain]["verdict"]
    if verdict == "unknown":
        pytest.skip("nobody can say what happens to this domain")
    wanted = {"absent": {"NONE"}, "ignored": {"NONE", "FETCH_ERROR"}}.get(verdict, {"VALID"})
    assert fetched[domain] in OTHERWISE.get(domain, wanted)


def test_each_difference_is_one_of_severity(checked):
    """What it does not refuse is against the RFC; what it alone refuses has a finding."""
    for domain, results in OTHERWISE.items():
        severities = {finding["severity"] for finding in checked[domain]["findings"]}
        is_lenient = results == {"VALID"}
        assert (checked[domain]["verdict"] == "ignored") == is_lenient
        assert severities & {"error", "warning"}
