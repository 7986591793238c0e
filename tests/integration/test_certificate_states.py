# SPDX-License-Identifier: MIT
"""What is said and counted of certificates follows what is served, without a reload."""

import re
import time

import pytest

from operated import configuration, operate_in_test, wait_until  # noqa: F401
from pki import leaf_of, openssl
from test_certificate_accidents import answers, leaf, own_source, states
from test_certificates import replace_link

LOOK_S = 60 + 30  # the daemon looks at the files every minute
ASKED = ["renewed", "older", "selfsigned", "alone", "unusable"]  # by a sender, before the change
DOMAINS = [*ASKED, "coming", "unasked"]


def host(domain):
    return f"mta-sts.{domain}.example"


def expiry_days(daemon):
    at = daemon.metric("certificate_earliest_not_after_timestamp_seconds")
    return round((at - time.time()) / 86400)


class Lineages:
    """Generations of certificates as certbot has them, with links to the one to be used."""

    def __init__(self, pki, folder):
        self.pki, self.folder, self.live = pki, folder, folder / "live"

    def issue(self, domain, generation, **kind):
        return self.pki.issue(self.folder / "archive" / host(domain) / str(generation),
                              host(domain), **kind)

    def use(self, domain, generation):
        for name in ("chain.pem", "key.pem"):
            replace_link(self.live / host(domain) / name,
                         f"../../archive/{host(domain)}/{generation}/{name}")


@pytest.fixture(name="lineages")
def lineages_in_use(pki, tmp_path):
    lineages = Lineages(pki, tmp_path)
    for domain in DOMAINS:
        lineages.issue(domain, 1, days=3 if domain in ("renewed", "unasked") else 90)
        if domain != "coming":
            lineages.use(domain, 1)
    lineages.issue("renewed", 2)
    lineages.issue("unasked", 2)
    lineages.issue("older", 0, days=-1)
    lineages.issue("unusable", 2, kind="ed448")
    chain, _ = lineages.issue("alone", 2)
    chain.write_text(chain.read_text().split("-----END CERTIFICATE-----")[0] +
                     "-----END CERTIFICATE-----\n")
    chain, key = lineages.issue("selfsigned", 2)
    openssl("req", "-new", "-x509", "-key", key, "-days", 90, "-subj", "/CN=self", "-addext",
            f"subjectAltName=DNS:{host('selfsigned')}", "-out", chain)
    return lineages


def change_all(lineages):
    lineages.use("older", 0)
    for domain in ("renewed", "unasked", "selfsigned", "alone", "unusable"):
        lineages.use(domain, 2)
    lineages.use("coming", 1)


def test_a_minute_after_the_change(operate, pki, tmp_path, lineages):
    """Nothing is reloaded: who changes a certificate need not tell the daemon."""
    lineages.live.mkdir(exist_ok=True)
    daemon = operate(configuration(
        pki, tmp_path, {f"{domain}.example": {"mx": ["mx.example.com"]} for domain in DOMAINS},
        certificates=[own_source(lineages.live)], policy_host={"name": "policy.provider.example"}))
    wait_until(lambda: states(daemon) == {"ok": 6, "missing": 1}, "counted")
    assert expiry_days(daemon) == 3
    before = {domain: leaf(daemon, pki, host(domain)) for domain in ASKED}
    n_before = len(daemon.log.lines)
    change_all(lineages)
    wait_until(lambda: states(daemon) == {"ok": 7}, "counted", LOOK_S)
    assert expiry_days(daemon) == 90

    kept = "; the certificate read before stays in use"
    why = {"older": "expired on ", "selfsigned": "self-signed, ", "alone": "an intermediate is missing",
           "unusable": "senders cannot use the certificate: "}
    for domain, reason in why.items():
        assert leaf(daemon, pki, host(domain)) == before[domain]
        daemon.log.wait_for(f"warning: {host(domain)}: .*chain.pem: {reason}.*{kept}", n_before)
    assert leaf(daemon, pki, host("renewed")) == leaf_of(
        lineages.live / host("renewed") / "chain.pem")
    daemon.log.wait_for(f"info: {host('renewed')}: .*: a certificate valid until .* is in use$",
                        n_before)
    record = next(line for line in daemon.ask("--print-dns", "--domain", "coming.example")
                  .stdout.decode().splitlines() if line.startswith("_mta-sts."))
    text = re.search('"v=STSv1; id=.*;"', record)[0]
    daemon.log.wait_for(f"info: {host('coming')}: .*/chain.pem: a certificate valid until .* is in "
                        "use, the first that senders accept; publish now: "
                        f"_mta-sts.coming.example. TXT {text}$", n_before)
    assert answers(daemon, pki, host("coming"))
    assert len(daemon.log.lines) - n_before == 6  # each once
