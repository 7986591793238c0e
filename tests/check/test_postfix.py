# SPDX-License-Identifier: MIT
"""MX hosts that are a real Postfix, and Postfix's own client, which is to agree with the check."""

import json
import os
import subprocess

import pytest

from conftest import check
from mail import Mx, dribbling, endless, silent
from postfix import POSTFIX_HOSTS, postfix
from scenarios_mx import MX_SCENARIOS

CODES = {
    "good": set(),
    "no-tls": {"starttls-missing"},
    "name": {"mx-cert-name"},
    "expired": {"mx-cert-expired"},
    "self": {"mx-cert-self-signed"},
    "untrusted": {"mx-cert-untrusted"},
    "leaf-alone": {"mx-cert-chain"},
    "old": {"smtp-tls-old"},
    "by-name": {"sni-certificate"},
    "patient": set(),
    "refusing": {"smtp-refuses-us"},
}


@pytest.fixture(name="real", scope="module")
def real_postfix(internet):
    """What the check says of each Postfix host."""
    if os.geteuid() != 0 or is_mapped():
        pytest.skip("Postfix changes its user, which root alone may")
    with postfix(POSTFIX_HOSTS, internet.certificates):
        done = check(internet, "--json", *(f"d-{host.label}.postfix.example"
                                           for host in POSTFIX_HOSTS))
        yield {each["domain"]: each["findings"] for each in json.loads(done.stdout)["domains"]}


def is_mapped():
    """Root of a user namespace has no other users."""
    with open("/proc/self/uid_map", encoding="ascii") as lines:
        return lines.read().split() != ["0", "0", "4294967295"]


@pytest.mark.parametrize("host", POSTFIX_HOSTS, ids=lambda host: host.label)
def test_postfix_as_mx_host(real, host):
    findings = real[f"d-{host.label}.postfix.example"]
    assert {finding["code"] for finding in findings
            if (finding["subject"] or "").startswith(host.host)} == CODES[host.label]


def finger(internet, host, address):
    """Whether Postfix's client, as it does for a policy in mode enforce, verifies the host."""
    done = subprocess.run(
        ["posttls-finger", "-c", "-C", "-L", "summary", "-l", "secure", "-F",
         internet.certificates.pki.ca, "-s", host, "-T", "3", "-p", ">=TLSv1.2",
         f"[{'ipv6:' if ':' in address else ''}{address}]", host],
        capture_output=True, timeout=60, check=False)
    printed = (done.stdout + done.stderr).decode()
    return "Verified TLS connection established" in printed, printed


# Without those that keep a client busy: posttls-finger waits for half a minute, or for ever.
@pytest.mark.parametrize("name", [
    name for name, each in MX_SCENARIOS.items()
    if isinstance(each.host, Mx) and len(each.host.addresses) == 1 and
    each.host.script not in (silent, dribbling, endless)])
def test_postfix_as_sender_agrees(internet, checked, name):
    """What we say that a sender does, Postfix does; what we could not try is left out."""
    scenario = MX_SCENARIOS[name]
    (ours,) = checked[f"{name}.example"]["mx"]
    verified, printed = finger(internet, scenario.name, scenario.host.addresses[0])
    assert ours["mta_sts"] == "unknown" or (ours["mta_sts"] == "accepts") == verified, printed
