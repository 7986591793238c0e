# SPDX-License-Identifier: MIT
"""Every class of misconfiguration that a study of 68,030 domains found has a scenario, and the check
finds it: Ashiq, Fiebig, Chung, IMC 2025, doi 10.1145/3730567.3732916."""

import pytest

CLASSES = {
    # policy server: 85 % of the misconfigured
    "TLS: the certificate names another host": ("cert-name", "cert-name"),
    "TLS: no certificate for the name": ("parked", "tls-refused"),
    "TLS: CNAME to a provider that never had the domain": ("never-hosted", "tls-refused"),
    "TLS: self-signed": ("cert-self", "cert-self-signed"),
    "TLS: a registrar's parking page": ("parking", "cert-name"),
    "TLS: expired": ("cert-expired", "cert-expired"),
    "HTTP: 404": ("not-found", "http-status"),
    "HTTP: redirect": ("redirect", "http-redirect"),
    "TCP: port 443 is closed": ("closed", "host-unreachable"),
    "DNS: no address": ("no-host", "host-missing"),
    "body: empty": ("empty", "policy-syntax"),
    "body: an mx that is a mail address": ("mx-mail-address", "policy-syntax"),
    "body: an mx with a final dot": ("mx-final-dot", "policy-syntax"),
    "body: an mx without a value": ("mx-empty", "policy-syntax"),
    # the record: 331 domains
    "record: an id with a hyphen": ("bad-id", "txt-syntax"),
    "record: no id": ("no-id", "txt-syntax"),
    "record: another version": ("bad-version", "txt-syntax"),
    "record: mode or mx in it": ("mode-in-record", "txt-syntax"),
    "record: more than one": ("two-records", "txt-several"),
    # certificates of MX hosts: 1,326 domains
    "MX: the certificate names another host": ("mx-name", "mx-cert-name"),
    "MX: self-signed": ("mx-self", "mx-cert-self-signed"),
    "MX: expired": ("mx-expired", "mx-cert-expired"),
    # mx patterns beside the MX records: 1,816 domains
    "mx: the MX hosts of before": ("moved", "mx-all-elsewhere"),
    "mx: a third label, mta-sts": ("third-label", "policy-mx-pattern"),
    "mx: a typing error": ("typo", "mx-near-miss"),
    "mx: another top-level domain": ("other-tld", "mx-near-miss"),
    # what providers and operators leave behind
    "left: the records are here, the mail is elsewhere": ("ours-left", "mx-all-elsewhere"),
    "update: the record before the policy": ("ours-elsewhere", "policy-not-ours"),
    "update: the policy without the record": ("ours-stale", "id-not-ours"),
}


@pytest.mark.parametrize("name", CLASSES)
def test_class_is_found(checked, name):
    domain, code = CLASSES[name]
    found = {each["code"]: each["severity"] for each in checked[f"{domain}.example"]["findings"]}
    assert code in found
    assert "error" in found.values()  # for no class is the check content
