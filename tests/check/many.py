# SPDX-License-Identifier: MIT
"""Many domains on pairs of MX hosts, all of them hosted by our own daemon."""

import contextlib

from authority import Internet, Zone
from certificates import Certificates
from daemon import Daemon
from mail import MailServers, Mx
from network import DAEMON, pair_addresses

IN_A_CERTIFICATE = 100  # domains
TXT_ID = "v=STSv1; id={};"


def names_of(count):
    return [f"d{i}.many.example" for i in range(count)]


def _pairs(n_pairs, certificates):
    """One certificate is good for all of them."""
    pairs = [[Mx(f"mx{i}-{number}", address, zone="carrier.example", certificate="*.carrier.example")
              for i, address in enumerate(pair_addresses(number))] for number in range(n_pairs)]
    for pair in pairs:
        for host in pair:
            host.prepare(certificates)
    return pairs


def _daemon(folder, domains, certificates):
    """Each policy host finds its certificate below its own name, as those of ACME clients lie."""
    live = folder / "live"
    live.mkdir(parents=True)
    for start in range(0, len(domains), IN_A_CERTIFICATE):
        hosts = [f"mta-sts.{domain}" for domain in domains[start:start + IN_A_CERTIFICATE]]
        chain, _ = certificates.pki.issue(folder / str(start), *hosts)
        for host in hosts:
            (live / host).symlink_to(chain.parent)
    return Daemon(folder, {
        "user": "root", "admin": "off", "workers": 1,
        "certificates": [{"chain": f"{live}/{{host}}/chain.pem", "key": f"{live}/{{host}}/key.pem"}],
        "limits": {"per_source": 5000},
        "listen": [{"address": f"{address}:443" if ":" not in address else f"[{address}]:443"}
                   for address in DAEMON],
        "policy_host": {"name": "policy.carrier.example"},
        "policies": {"default": {"mode": "enforce", "mx": ["*.carrier.example"], "max_age": "2w",
                                 "tls_rpt": ["mailto:reports@carrier.example"]}},
        "domains": domains})


@contextlib.contextmanager
def many_domains(folder, count, environment, run, n_pairs=1):
    """Serves them all; yields the Internet, with `daemon`.

    run      runs the program: run("--print-id", domain)
    n_pairs  of MX hosts
    """
    certificates = Certificates(folder / "pki")
    environment["SSL_CERT_FILE"] = str(certificates.pki.ca)
    domains = names_of(count)
    pairs = _pairs(n_pairs, certificates)
    hosts = [host for pair in pairs for host in pair]
    daemon = _daemon(folder / "daemon", domains, certificates)
    policy_id = run("-c", daemon.config_path, "--print-id", domains[0]).stdout.decode().strip()
    lines = []
    for i, domain in enumerate(domains):
        label = domain.removesuffix(".many.example")
        lines += [f'_mta-sts.{label} TXT "{TXT_ID.format(policy_id)}"',
                  f"mta-sts.{label} CNAME policy.carrier.example.",
                  f'_smtp._tls.{label} TXT "v=TLSRPTv1; rua=mailto:reports@carrier.example"',
                  *(f"{label} MX 10 {host.host}." for host in pairs[i % n_pairs])]
    zones = {"many.example": Zone(*lines),
             "carrier.example": Zone(f"policy A {DAEMON[0]}", f"policy AAAA {DAEMON[1]}",
                                     f"@ MX 10 {hosts[0].host}.",
                                     *(line for host in hosts for line in host.lines),
                                     signed=True)}
    (folder / "dns").mkdir()
    with Internet(folder / "dns").serving(zones) as internet, daemon, \
            MailServers(hosts).serving():
        internet.daemon = daemon
        yield internet
