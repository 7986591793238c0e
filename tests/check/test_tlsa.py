# SPDX-License-Identifier: MIT
"""--tlsa prints the records that DANE senders would find to match."""

from conftest import check
from scenarios_mx import MX_SCENARIOS


def tlsa(internet, *domains):
    done = check(internet, "--tlsa", *domains)
    return done.returncode, sorted(done.stdout.decode().splitlines())  # in the order of checks


def own_record(internet, label):
    """What the scenario publishes with "3 1 1 own"."""
    host = MX_SCENARIOS[label].host
    chain, _ = internet.certificates.make_host(host.host, host.kind)
    return f"_25._tcp.{host.host}. 3600 IN TLSA {host.record_data('3 1 1 own', chain)}"


def test_prints_what_matches(internet):
    """Of any certificate, since usage 3 takes all; each host once."""
    assert tlsa(internet, "dane.example", "dane-broken.example", "dane.example") == \
        (0, sorted([own_record(internet, "dane"), own_record(internet, "dane-broken")]))
    assert tlsa(internet, "dane-self.example") == (0, [own_record(internet, "dane-self")])


def test_says_where_dnssec_is_missing(internet):
    assert tlsa(internet, "dane-insecure.example") == (0, [
        "; no sender uses these before DNSSEC secures dane-insecure.plain-mail.example",
        own_record(internet, "dane-insecure")])


def test_a_host_without_tls_has_no_key(internet):
    assert tlsa(internet, "no-starttls.example", "dane.example") == (1, [
        "; no-starttls.mail.example has shown no certificate", own_record(internet, "dane")])


def test_a_key_is_printed_once(internet):
    """The same host with the same key at 16 addresses: one record."""
    status, lines = tlsa(internet, "many-addresses.example")
    assert (status, len(lines)) == (0, 1)
