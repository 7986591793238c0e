# SPDX-License-Identifier: MIT
"""MX hosts with one fault each, and the codes that a check finds for a domain that has only them."""

import ssl

from authority import Zone
from mail import Mx, dribbling, endless, in_clear, injecting, other_protocol, silent
from network import CLOSED
from postfix import postfix_zone_lines

_addresses = (f"45.67.89.{n}" for n in range(100, 250))


class MxScenario:
    """A domain.

    host    an Mx, or the name of a host that is another scenario's or has no server
    name    of the host in the MX record, if not its own
    beside  names of other MX hosts
    signed  whether DNSSEC secures the MX record too
    """

    def __init__(self, *codes, host, verdict="lost", dane="absent", name=None, beside=(),
                 signed=False):
        self.codes, self.host, self.verdict, self.dane = codes, host, verdict, dane
        self.name = name or (host if isinstance(host, str) else host.host)
        self.beside, self.signed = beside, signed


def _host(label, *more_addresses, **options):
    return Mx(label, next(_addresses), *more_addresses, **options)


def _several(label, n, **options):
    return Mx(label, *(next(_addresses) for _ in range(n)), **options)


def _half_closed(label):
    address = next(_addresses)
    return Mx(label, address, lines=[f"{label} A {address}", f"{label} A {CLOSED}"])


def _behind_alias(label, **options):
    """The MX record names <label>, which is a CNAME to this host."""
    address = next(_addresses)
    return Mx(f"{label}-real", address, tlsa=["2 1 1 issuer"],
              lines=[f"{label} CNAME {label}-real", f"{label}-real A {address}"], **options)


def _beside(label, line):
    """A good address, and a line of the zone that is none."""
    address = next(_addresses)
    return Mx(label, address, lines=[f"{label} A {address}", line])


OLD = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
ONLY_1_2 = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)

MX_SCENARIOS = {
    "both-families": MxScenario(host=_host("both-families", "2a0e:dead::100"), verdict="enforced"),
    # DNS
    "no-address": MxScenario("mx-host-missing", host="gone.mail.example"),
    "bogus-mx": MxScenario("mx-host-bogus", dane="lost", host="mx.bogus.example"),
    "deaf-mx": MxScenario("mx-host-failed", host="mx.deaf.example", verdict="enforced"),
    "alias": MxScenario("mx-cname", "mx-cert-name", dane="enforced", host="alias.mail.example"),
    "private-mx": MxScenario("address-special", verdict="enforced",
                             host=_beside("private-mx", "private-mx A 192.168.0.1")),
    "not-routed-mx": MxScenario("address-not-routed", verdict="enforced",
                                host=_beside("not-routed-mx", "not-routed-mx AAAA 2a0f::1")),
    # SMTP
    "closed-mx": MxScenario("smtp-unreachable", verdict="enforced",
                            host=Mx("closed-mx", lines=[f"closed-mx A {CLOSED}"])),
    "half-closed-mx": MxScenario("smtp-address-down", verdict="enforced",
                                 host=_half_closed("half-closed-mx")),
    "refusing": MxScenario("smtp-refuses-us", verdict="enforced",
                           host=_host("refusing", greeting="554 5.7.1 no mail from 45.67.89.1")),
    "busy": MxScenario("smtp-refuses-us", verdict="enforced",
                       host=_host("busy", greeting="421 4.7.0 come back later")),
    "silent": MxScenario("smtp-refuses-us", verdict="enforced",
                         host=_host("silent", script=silent)),
    "dribbling": MxScenario("smtp-refuses-us", verdict="enforced",
                            host=_host("dribbling", script=dribbling)),
    "many-addresses": MxScenario("smtp-untried", verdict="enforced",
                                 host=_several("many-addresses", 17)),
    "other-protocol": MxScenario("smtp-broken", host=_host("other-protocol",
                                                           script=other_protocol)),
    "endless": MxScenario("smtp-broken", host=_host("endless", script=endless)),
    # TLS
    "no-starttls": MxScenario("starttls-missing", host=_host("no-starttls", offers=("SIZE 1",))),
    "starttls-later": MxScenario("starttls-refused", host=_host(
        "starttls-later", starttls="454 4.7.0 TLS not available due to local problem")),
    "injecting": MxScenario("starttls-plaintext", host=_host("injecting", script=injecting)),
    "in-clear": MxScenario("starttls-failed", host=_host("in-clear", script=in_clear)),
    "old-tls-mx": MxScenario("smtp-tls-old", host=_host("old-tls-mx", versions=OLD)),
    "old-renegotiation": MxScenario("smtp-tls-weak", host=_host(
        "old-renegotiation", gnutls="NORMAL:-VERS-TLS1.3:%DISABLE_SAFE_RENEGOTIATION")),
    "gnutls": MxScenario(verdict="enforced", host=_host("gnutls", gnutls="NORMAL:-VERS-TLS1.3")),
    "rc4": MxScenario("starttls-failed", host=_host(
        "rc4", kind="rsa", gnutls="NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+ARCFOUR-128")),
    "rsa-exchange": MxScenario("smtp-ciphers-old", verdict="enforced", host=_host(
        "rsa-exchange", kind="rsa", versions=ONLY_1_2, ciphers="AES128-GCM-SHA256")),
    "cbc": MxScenario("smtp-ciphers-old", verdict="enforced", host=_host(
        "cbc", versions=ONLY_1_2, ciphers="ECDHE-ECDSA-AES128-SHA")),
    "cbc-first": MxScenario(verdict="enforced", host=_host(
        "cbc-first", versions=ONLY_1_2,
        ciphers="ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-GCM-SHA256")),
    "dh-small": MxScenario("smtp-dh-small", "smtp-ciphers-old", verdict="enforced", host=_host(
        "dh-small", kind="rsa", versions=ONLY_1_2, ciphers="DHE-RSA-AES128-GCM-SHA256",
        dh_bits=1024)),
    "dh-small-first": MxScenario("smtp-dh-small", verdict="enforced", host=_host(
        "dh-small-first", kind="rsa", versions=ONLY_1_2, dh_bits=1024,
        ciphers="DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256")),
    "dh-first": MxScenario(verdict="enforced", host=_host(
        "dh-first", kind="rsa", versions=ONLY_1_2, dh_bits=2048,
        ciphers="DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256")),
    "name-refused": MxScenario("starttls-failed", "sni-breaks",
                               host=_host("name-refused", sni="refuses name")),
    "name-needed": MxScenario("sni-needed", verdict="enforced",
                              host=_host("name-needed", sni="refuses no name")),
    "name-dependent": MxScenario("sni-certificate", verdict="enforced",
                                 host=_host("name-dependent", sni="other without name")),
    # certificates
    "mx-name": MxScenario("mx-cert-name", host=_host("mx-name", kind="name")),
    "mx-expired": MxScenario("mx-cert-expired", host=_host("mx-expired", kind="expired")),
    "mx-expiring": MxScenario("mx-cert-expiring", verdict="enforced",
                              host=_host("mx-expiring", kind="expiring")),
    "mx-future": MxScenario("mx-cert-not-yet-valid", host=_host("mx-future", kind="future")),
    "mx-self": MxScenario("mx-cert-self-signed", host=_host("mx-self", kind="self")),
    "mx-leaf-alone": MxScenario("mx-cert-chain", host=_host("mx-leaf-alone", kind="leaf-alone")),
    "mx-untrusted": MxScenario("mx-cert-untrusted", host=_host("mx-untrusted", kind="untrusted")),
    "mx-half-expired": MxScenario("mx-cert-expired", verdict="enforced", host=_several(
        "mx-half-expired", 2, last_kind="expired")),
    "mx-rsa-1024": MxScenario("mx-cert-key-small", verdict="enforced",
                              host=_host("mx-rsa-1024", kind="rsa-1024")),
    "mx-rsa-2048": MxScenario(verdict="enforced", host=_host("mx-rsa-2048", kind="rsa")),
    "mx-sha1": MxScenario("mx-cert-weak", host=_host("mx-sha1", kind="sha1")),
    "mx-must-staple": MxScenario("mx-cert-staple", verdict="enforced",
                                 host=_host("mx-must-staple", kind="must-staple")),
    # a backup
    "backup-down": MxScenario("smtp-unreachable", "mx-host-down", verdict="enforced",
                              host="mx1.provider.example", beside=["closed-mx.mail.example"]),
    "backup-refusing": MxScenario("smtp-refuses-us", verdict="enforced",
                                  host="mx1.provider.example", beside=["refusing.mail.example"]),
    # TLSA; a sender with MTA-STS alone sees no fault
    "dane": MxScenario(verdict="enforced", dane="enforced", host=_host("dane", tlsa=["3 1 1 own"])),
    "dane-issuer": MxScenario(verdict="enforced", dane="enforced",
                              host=_host("dane-issuer", tlsa=["2 1 1 issuer"])),
    "dane-rollover": MxScenario(verdict="enforced",
                                dane="enforced",
                                host=_host("dane-rollover", tlsa=["3 1 1 own", "3 1 1 other"])),
    "dane-self": MxScenario("mx-cert-self-signed",
                            dane="enforced",
                            host=_host("dane-self", kind="self", tlsa=["3 1 1 own"])),
    "dane-expired": MxScenario("mx-cert-expired",
                               dane="enforced",
                               host=_host("dane-expired", kind="expired", tlsa=["3 1 1 own"])),
    "dane-broken": MxScenario("tlsa-mismatch", verdict="enforced",
                              dane="lost", host=_host("dane-broken", tlsa=["3 1 1 other"])),
    "dane-agile": MxScenario("tlsa-mismatch", verdict="enforced", dane="lost", host=_host(
        "dane-agile", tlsa=["3 1 1 own", "3 1 2 other"])),
    "dane-name": MxScenario("mx-cert-name", "tlsa-name",
                            dane="lost",
                            host=_host("dane-name", kind="name", tlsa=["2 1 1 issuer"])),
    "dane-chain": MxScenario("mx-cert-expired", "tlsa-chain", dane="lost", host=_host(
        "dane-chain", kind="expired", tlsa=["2 1 1 issuer"])),
    "dane-combination": MxScenario("tlsa-combination", verdict="enforced", dane="enforced",
                                   host=_host(
        "dane-combination", tlsa=["3 1 1 own", "2 1 1 other"])),
    "dane-unusable": MxScenario("tlsa-unusable", verdict="enforced",
                                dane="enforced",
                                host=_host("dane-unusable", tlsa=["1 1 1 own", "3 1 1 own"])),
    "dane-insecure": MxScenario("tlsa-insecure", verdict="enforced", host=_host(
        "dane-insecure", tlsa=["3 1 1 other"], zone="plain-mail.example")),
    "dane-deaf": MxScenario("tlsa-failed", verdict="enforced", dane="lost", host=_beside(
        "dane-deaf", "_tcp.dane-deaf NS deaf.servers.example.")),
    "dane-no-tls": MxScenario("starttls-missing", "tlsa-without-tls", dane="lost", host=_host(
        "dane-no-tls", offers=("SIZE 1",), tlsa=["3 1 1 own"])),
    "dane-issuer-whole": MxScenario(verdict="enforced", dane="enforced", host=_host(
        "dane-issuer-whole", tlsa=["2 0 1 issuer"])),
    "dane-secure-mx": MxScenario(verdict="enforced", dane="enforced", signed=True,
                                 host="dane.mail.example"),
    "dane-broken-secure-mx": MxScenario("tlsa-mismatch", verdict="enforced", dane="lost",
                                        signed=True, host="dane-broken.mail.example"),
    "dane-backup": MxScenario("tlsa-mismatch", verdict="enforced", dane="partly-lost",
                              host="dane-broken.mail.example", beside=["dane.mail.example"]),
    "dane-none-usable": MxScenario("mx-cert-self-signed", "tlsa-unusable", dane="enforced",
                                   host=_host("dane-none-usable", kind="self",
                                              tlsa=["1 1 1 other", "0 0 1 other"])),
    "dane-name-refused": MxScenario(
        "starttls-failed", "sni-breaks", "tlsa-without-tls", dane="lost",
        host=_host("dane-name-refused", sni="refuses name", tlsa=["3 1 1 own"])),
    "dane-old-tls": MxScenario("smtp-tls-old", "tlsa-without-tls", dane="lost", host=_host(
        "dane-old-tls", versions=OLD, tlsa=["3 1 1 own"])),
    "dane-old-tls-unusable": MxScenario("smtp-tls-old", "tlsa-unusable", dane="enforced", host=_host(
        "dane-old-tls-unusable", versions=OLD, tlsa=["1 1 1 own"])),
    # the names that a certificate may have beside a record with usage 2
    "dane-next-hop": MxScenario(
        "mx-cert-name", dane="enforced", signed=True, host=_host(
            "dane-next-hop", certificate="dane-next-hop.example", tlsa=["2 1 1 issuer"])),
    "dane-next-hop-insecure": MxScenario("mx-cert-name", dane="enforced", host=_host(
        "dane-next-hop-insecure", certificate="dane-next-hop-insecure.example",
        tlsa=["2 1 1 issuer"])),
    "dane-alias": MxScenario(
        "mx-cname", "tlsa-name", verdict="enforced", dane="lost", name="dane-alias.mail.example",
        host=_behind_alias("dane-alias", certificate="dane-alias.mail.example")),
    "dane-aliased": MxScenario("mx-cname", "mx-cert-name", dane="enforced",
                                  name="dane-aliased.mail.example",
                                  host=_behind_alias("dane-aliased")),
    "dane-half": MxScenario("tlsa-mismatch", verdict="enforced", dane="enforced", host=_several(
        "dane-half", 2, last_kind="rsa", tlsa=["3 1 1 own"])),
    "dane-rsa-1024": MxScenario("mx-cert-key-small", verdict="enforced", dane="enforced", host=_host(
        "dane-rsa-1024", kind="rsa-1024", tlsa=["3 1 1 own"])),
    "dane-sha1": MxScenario("mx-cert-weak", dane="enforced", host=_host(
        "dane-sha1", kind="sha1", tlsa=["3 1 1 own"])),
    "dane-issuer-sha1": MxScenario("mx-cert-weak", "tlsa-chain", dane="lost", host=_host(
        "dane-issuer-sha1", kind="sha1", tlsa=["2 1 1 issuer"])),
}

# Hosts that cost a sender time, for domains d0.tar.example and so on.
TARPITS = [Mx(f"m{n}", f"2a0e:dead:1::{n + 1:x}", zone="tar.example",
              script=(silent, dribbling, endless)[n % 3]) for n in range(100)]

# Hosts at one address, for domains c0.crowd.example and so on.
CROWD = ["@ A 45.67.89.64", "* A 45.67.89.64"] + [
    f"c{n} MX 10 m{n}.crowd.example." for n in range(8)]

# The hosts of all other scenarios.
PROVIDER_MX = [Mx("mx1", "45.67.89.61", zone="provider.example"),
               Mx("mx2", "45.67.89.62", zone="provider.example"),
               Mx("implicit", "45.67.89.63", zone="example"),
               Mx("crowd", "45.67.89.64", zone="example")]
MX_HOSTS = PROVIDER_MX + TARPITS + [each.host for each in MX_SCENARIOS.values() if isinstance(each.host, Mx)]


def mail_zones(certificates):
    """The zones that MX hosts have to themselves, once all have their certificates."""
    lines = {"mail.example": ["alias CNAME dane"], "plain-mail.example": [],
             "tar.example": [f"d{n} MX 10 {each.host}." for n, each in enumerate(TARPITS)]}
    for host in MX_HOSTS:
        records = host.prepare(certificates)
        if host.zone in lines:
            lines[host.zone] += host.lines + records
    lines["crowd.example"] = CROWD
    lines["postfix.example"] = postfix_zone_lines()
    return {zone: Zone(*lines[zone], signed=zone == "mail.example") for zone in lines}
