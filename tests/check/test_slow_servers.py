# SPDX-License-Identifier: MIT
"""Many servers that keep a client waiting: the run ends in time, and good domains are found good."""

import contextlib
import json
import os
import socket
import time

import pytest

from authority import Internet, Zone
from certificates import Certificates
from conftest import check, enter_network
from daemon import IS_SANITIZED
from mail import MailServers, Mx, dribbling, endless, hear, say, silent
from network import DEAF_SERVER, MX, SCRIPTED, pair_addresses
from scenarios import RPT, TXT, policy
from web import Scripted, response

N_SLOW_HOSTS = 300
HOSTS_A_DOMAIN = 3
N_EACH = 40  # domains of each other kind
JOBS = 64
MANY_JOBS = 128 if IS_SANITIZED else 512
TIMEOUT_S = 6 if IS_SANITIZED else 3
VISIT_S = 2 * TIMEOUT_S  # of an MX host
DOMAIN_S = 3 * TIMEOUT_S  # at most, without MX hosts: DNS, then the policy, then where reports go
SLACK_S = 20

BODY = policy("*.mail.example")


def names_of(kind, count=N_EACH):
    return [f"{kind}{i}.{kind}.example" for i in range(count)]


def late(connection, host, wait):
    """Each reply comes before a client gives up waiting for it, and none to its handshake."""
    for reply in ([f"220 {host}"], [f"250-{host}", "250 STARTTLS"], ["220 go ahead"]):
        if wait(TIMEOUT_S * 0.3):
            return
        say(connection, *reply)
        hear(connection)
    wait(10 * TIMEOUT_S)


WAYS = (silent, dribbling, endless, late)


def one_octet_a_second(connection, wait):
    for octet in response(BODY):
        if wait(1):
            return
        connection.sendall(bytes([octet]))


def at_once(connection, _):
    connection.sendall(response(BODY))


def records_of(domain, hosts):
    label = domain.split(".")[0]
    return [f"_mta-sts.{label} TXT {TXT}", f"mta-sts.{label} A {SCRIPTED}",
            RPT.replace("_smtp._tls", f"_smtp._tls.{label}"),
            *(f"{label} MX 10 {host.host}." for host in hosts)]


def zones_of(good_host, slow_hosts):
    groups = [slow_hosts[i:i + HOSTS_A_DOMAIN] for i in range(0, N_SLOW_HOSTS, HOSTS_A_DOMAIN)]
    hosts_of = {domain: [good_host] for domain in names_of("good") + names_of("drip")}
    hosts_of.update(zip(names_of("tarpit", len(groups)), groups))
    zones = {f"{kind}.example": Zone(*(line for domain, hosts in hosts_of.items()
                                       if domain.endswith(f"{kind}.example")
                                       for line in records_of(domain, hosts)))
             for kind in ("good", "drip", "tarpit")}
    zones.update({domain: Zone(servers=("deaf",)) for domain in names_of("deaf")})
    lines = [line for host in [good_host, *slow_hosts] for line in host.lines]
    return {**zones, "mail.example": Zone(*lines),
            "provider.example": Zone("@ MX 10 mx1.mail.example.")}, list(hosts_of)


@contextlib.contextmanager
def never_answering():
    """A name server that takes questions."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((DEAF_SERVER, 53))
        yield


@pytest.fixture(name="slow", scope="module")
def slow_servers(tmp_path_factory):
    enter_network()
    folder = tmp_path_factory.mktemp("slow")
    (folder / "dns").mkdir()
    certificates = Certificates(folder / "pki")
    os.environ["SSL_CERT_FILE"] = str(certificates.pki.ca)
    good_host = Mx("mx1", MX[1])
    good_host.prepare(certificates)
    addresses = [address for i in range(N_SLOW_HOSTS // 2) for address in pair_addresses(i)]
    slow_hosts = [Mx(f"slow{i}", address, script=WAYS[i % len(WAYS)])
                  for i, address in enumerate(addresses)]
    zones, domains = zones_of(good_host, slow_hosts)
    scripts = {domain: one_octet_a_second if domain.startswith("drip") else at_once
               for domain in domains}
    with Internet(folder / "dns").serving(zones) as internet, never_answering(), \
            Scripted(scripts, certificates.make).serving(), \
            MailServers([good_host, *slow_hosts]).serving():
        internet.domains = names_of("deaf") + [domain for domain in domains if "good" not in domain] \
            + names_of("good")
        yield internet


def run_all(internet, jobs):
    """Returns {domain: its report} and seconds."""
    start = time.monotonic()
    done = check(internet, "--json", "--jobs", jobs, *internet.domains, timeout_s=TIMEOUT_S)
    took = time.monotonic() - start
    return {each["domain"]: each for each in json.loads(done.stdout)["domains"]}, took


def codes_of(report):
    return {finding["code"] for finding in report["findings"]}


@pytest.mark.parametrize("jobs", [JOBS, MANY_JOBS])
def test_the_run_ends_in_time_and_good_domains_are_found_good(slow, jobs):
    reports, took = run_all(slow, jobs)
    assert len(reports) == len(slow.domains)
    for domain in names_of("good"):
        assert reports[domain]["verdict"] == "enforced", reports[domain]["findings"]
    for domain in names_of("deaf"):
        assert reports[domain]["verdict"] == "unknown", reports[domain]["findings"]
    for domain in names_of("drip"):
        assert "http-timeout" in codes_of(reports[domain])
    for domain in names_of("tarpit", N_SLOW_HOSTS // HOSTS_A_DOMAIN):
        assert "accepts" not in [host["mta_sts"] for host in reports[domain]["mx"]], reports[domain]
    rounds = -(-N_SLOW_HOSTS // jobs) * VISIT_S + -(-len(slow.domains) // jobs) * DOMAIN_S
    assert took < rounds + SLACK_S
