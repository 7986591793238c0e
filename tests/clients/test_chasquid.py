# SPDX-License-Identifier: MIT
"""chasquid's smtp-check, a second sender that shares no code with the first (it is in Go)."""

import subprocess

import pytest

from processes import run
from provider import POLICIES

MAX_AGES = {86400: "24h0m0s", 604800: "168h0m0s", 1209600: "336h0m0s"}


def smtp_check(domain, status):
    return run("smtp-check", "-skip_tls_check", domain, status=status, stderr=subprocess.STDOUT)


@pytest.mark.parametrize("domain", sorted(POLICIES.keys() - {"mail.enforce.example"}))
def test_policy_and_whether_it_allows_the_mx_host(daemon, domain):
    del daemon
    mode, max_age, mx = POLICIES[domain]
    covers = "mx1.provider.example" in mx
    printed = smtp_check(domain, status=0 if covers else 1)
    assert (f"Parsed contents:  [{{Version:STSv1 Mode:{mode} MXs:[{' '.join(mx)}] "
            f"MaxAge:{MAX_AGES[max_age]}}}]") in printed
    assert ("NOT allowed by STS policy" not in printed) == covers


@pytest.mark.parametrize("domain", ["waiting.example", "reports.example", "unknown.example"])
def test_no_policy(daemon, domain):
    del daemon
    printed = smtp_check(domain, status=0 if domain != "unknown.example" else 1)
    assert "Not available" in printed
