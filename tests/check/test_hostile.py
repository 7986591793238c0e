# SPDX-License-Identifier: MIT
"""Servers that mean harm: a check of them ends in time and in little memory, and says what is wrong
with each; it prints nothing of theirs as it is, and finds good domains of the same run good."""

import contextlib
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import threading
import time

import pytest

from authority import Internet, Zone
from certificates import Certificates
from conftest import check, enter_network
from daemon import IS_SANITIZED, PROGRAM, SANITIZER
from hostile import (BODY, DNS, HOSTS, HOSTS_BODY, MEGABYTE, MX_CERTIFICATES, ODD_LABEL, RAW, SMTP, WEB, WEB_CERTIFICATES,
                     Renegotiating, farewell_forever, records_of, tickets)
from mail import MailServers, Mx
from network import MX, SCRIPTED
from odd_certificates import OddCertificates
from web import Scripted, response

TIMEOUT_S = 12  # a connection has half of it, with its handshake
LIMIT_S = 3 * TIMEOUT_S
MEMORY_MIB = 900 if IS_SANITIZED else 150
BUSY = {"http-slow", "http-slow-ish"}  # one process has to be all these servers
GOOD = [f"good{i}.example" for i in range(5)]


def raw_address(number):
    return f"45.67.90.{number + 1}"


class Expected:
    """The domains of this Internet: their records, what serves them, and the codes to be found."""

    def __init__(self):
        self.codes = {domain: set() for domain in GOOD}
        self.records = {domain: records_of(domain, SCRIPTED) for domain in GOOD}
        self.scripts, self.raw, self.hosts, self.farewells = {}, {}, [], []

    def add(self, name, codes, host=SCRIPTED, own=()):
        domain = f"{name}.example"
        assert domain not in self.codes
        self.codes[domain], self.records[domain] = codes, records_of(name, host, own)
        return domain

    def add_mx(self, name, codes, **options):
        host = Mx(name, f"45.67.91.{len(self.hosts) + 1}", zone="hosts.example", **options)
        self.hosts.append(host)
        self.add(f"at-{name}", codes, own=[f"@ MX 10 {host.host}."])
        return host


def all_expected(certificates, odd):
    expected = Expected()
    for name, (script, codes) in WEB.items():
        expected.scripts[expected.add(name, codes)] = script
    for kind, codes in WEB_CERTIFICATES.items():
        expected.add(kind, codes)
    for number, (name, (script, codes)) in enumerate(RAW.items()):
        domain = expected.add(name, codes, host=raw_address(number))
        expected.raw[raw_address(number)] = script or tickets(*certificates.make(domain))
    expected.add("renegotiation", None, host=raw_address(200))
    for name, (script, codes) in SMTP.items():
        host = expected.add_mx(name, codes, script=script)
        if not script:
            host.script = farewell_forever(lambda own=host: own.context, expected.farewells)
    for kind, codes in MX_CERTIFICATES.items():
        host = expected.add_mx(kind, codes)
        host.prepare_odd = odd.make(host.host, kind)
    expected.odd = odd
    for name, (lines, codes) in DNS.items():
        expected.add(name, codes, own=lines)
    return expected


@contextlib.contextmanager
def listening(address, port, script):
    """Every connection gets the script; `accepted` counts them."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    accepted, has_ended = [], threading.Event()

    def answer(connection):
        with contextlib.suppress(OSError), connection:
            script(connection, has_ended.wait)

    def accept(listener):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                accepted.append(connection)
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server((address, port), family=family, backlog=64) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield accepted
        has_ended.set()
        listener.shutdown(socket.SHUT_RDWR)


def serving(records):
    """The policy for the domain's MX hosts."""
    is_at_hosts = any(" MX " in line and line.endswith(".hosts.example.") for line in records)
    body = HOSTS_BODY if is_at_hosts else BODY
    return lambda connection, _: connection.sendall(response(body))


def zones_of(expected, certificates):
    good_host = Mx("mx1", MX[1])
    lines = {"mail.example": good_host.prepare(certificates) + good_host.lines,
             "hosts.example": [*HOSTS, f"{ODD_LABEL} A {MX[1]}", "tlsa A " + MX[1],
                               *(f"_25._tcp.tlsa TLSA 3 1 1 {i:064x}" for i in range(800))]}
    for host in expected.hosts:
        lines["hosts.example"] += host.prepare(certificates) + host.lines
        if hasattr(host, "prepare_odd"):
            host.context = host.last_context = host.make_context(*host.prepare_odd)
        if host.label == "huge-prime":
            host.context.maximum_version = ssl.TLSVersion.TLSv1_2
            host.context.set_ciphers("DHE:@SECLEVEL=0")
            host.context.load_dh_params(expected.odd.make_group())
    zones = {domain: Zone(*records) for domain, records in expected.records.items()}
    zones.update({zone: Zone(*each, signed=zone == "hosts.example") for zone, each in lines.items()})
    zones["provider.example"] = Zone("@ MX 10 mx1.mail.example.")
    return zones, good_host


@pytest.fixture(name="hostile", scope="module")
def hostile_internet(tmp_path_factory):
    enter_network()
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "dns").mkdir()
    certificates = Certificates(folder / "pki")
    odd = OddCertificates(folder / "odd", certificates.pki)
    os.environ["SSL_CERT_FILE"] = str(certificates.pki.ca)
    expected = all_expected(certificates, odd)
    zones, good_host = zones_of(expected, certificates)
    scripts = {domain: serving(records) for domain, records in expected.records.items()}
    scripts.update(expected.scripts)

    def certificate_of(domain, _):
        kind = domain.removesuffix(".example")
        return odd.make(f"mta-sts.{domain}", kind) if kind in WEB_CERTIFICATES else \
            certificates.make(domain)

    with contextlib.ExitStack() as stack:
        internet = stack.enter_context(Internet(folder / "dns").serving(zones))
        stack.enter_context(Scripted(scripts, certificate_of).serving())
        stack.enter_context(MailServers([good_host, *expected.hosts]).serving())
        stack.enter_context(Renegotiating(raw_address(200),
                                          *certificates.make("renegotiation.example")))
        for address, script in expected.raw.items():
            stack.enter_context(listening(address, 443, script))
        internet.private = [stack.enter_context(listening(address, port, lambda *_: None))
                            for address in ("127.0.0.1", "::1") for port in (25, 443)]
        internet.expected = expected
        yield internet


def high_water_mib(pid):
    """Of a process, and of the one that it has started to read what strangers send."""
    most = 0
    with contextlib.suppress(OSError):
        status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        most = int((re.search(r"VmHWM:\s*(\d+)", status) or [0, 0])[1]) / 1024
        most = max([most, *map(high_water_mib, children.split())])
    return most


def run_measured(internet, *arguments, without=(), status=1):
    """Returns what is printed, seconds, and the most memory that it had, in MiB."""
    domains = [domain for domain in internet.expected.codes if domain not in without]
    start = time.monotonic()
    process = subprocess.Popen(
        [PROGRAM, "--check", "--dns-config", internet.unbound_conf, "--timeout", str(TIMEOUT_S),
         *arguments, *domains], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    texts = {}
    readers = [threading.Thread(target=lambda pipe=pipe: texts.update({pipe: pipe.read()}))
               for pipe in (process.stdout, process.stderr)]
    for reader in readers:
        reader.start()
    most_mib = 0
    while process.poll() is None:
        most_mib = max(most_mib, high_water_mib(process.pid))
        if time.monotonic() - start > 2 * LIMIT_S:
            process.kill()
        time.sleep(0.02)
    for reader in readers:
        reader.join()
    errors = texts[process.stderr].decode()
    assert process.returncode == status and not SANITIZER.search(errors), errors
    return texts[process.stdout], time.monotonic() - start, most_mib


@pytest.fixture(name="run_once", scope="module")
def one_run(hostile):
    return run_measured(hostile, "--json")


@pytest.fixture(name="reports", scope="module")
def reports_of_one_run(run_once):
    return {each["domain"]: each for each in json.loads(run_once[0])["domains"]}


def names():
    return ([*WEB, *WEB_CERTIFICATES, *RAW, *DNS] +
            [f"at-{name}" for name in [*SMTP, *MX_CERTIFICATES]])


@pytest.mark.parametrize("name", names())
def test_what_is_found(hostile, reports, name):
    report = reports[f"{name}.example"]
    codes = {finding["code"] for finding in report["findings"]} - BUSY
    assert codes == hostile.expected.codes[f"{name}.example"], \
        "\n".join(f"{finding['code']}: {finding['text']}" for finding in report["findings"][:40])


def test_who_renegotiates_for_ever_is_left(reports):
    """By the octets, or by the time on a busy machine."""
    codes = {finding["code"] for finding in reports["renegotiation.example"]["findings"]}
    assert codes in ({"http-broken", "tls-only-1-2"}, {"http-timeout", "tls-only-1-2"})


@pytest.mark.parametrize("domain", GOOD)
def test_good_domains_are_unharmed(reports, domain):
    assert reports[domain]["verdict"] == "enforced"
    assert {finding["code"] for finding in reports[domain]["findings"]} <= BUSY


def test_the_run_is_bounded(run_once):
    _, took_s, memory_mib = run_once
    assert took_s < LIMIT_S
    assert memory_mib < MEMORY_MIB


@pytest.mark.parametrize("options, status", [([], 1), (["--nagios"], 2), (["--tlsa"], 1)])
def test_nothing_but_text_is_printed(hostile, options, status):
    printed, took_s, memory_mib = run_measured(hostile, *options, status=status,
                                               without=["renegotiation.example"])
    assert took_s < LIMIT_S and memory_mib < MEMORY_MIB
    assert not [octet for octet in printed if octet != 0x0a and not 0x20 <= octet <= 0x7e]


def test_nobody_listens_to_a_long_farewell(hostile, reports):
    """What stands in the buffers of both ends has been sent already."""
    assert reports and 0 < max(hostile.expected.farewells) < 16 * MEGABYTE


def test_json_has_nothing_but_text(run_once):
    assert run_once[0].isascii()
    for text in strings_of(json.loads(run_once[0])):
        assert text.isprintable() and text.isascii(), repr(text)


def strings_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings_of(each)


def test_nobody_behind_our_firewall_was_contacted(hostile, reports):
    assert reports and hostile.private == [[], [], [], []]
    assert check(hostile, "--allow-private", "private-mx.example", timeout_s=TIMEOUT_S).returncode == 1
    assert any(hostile.private)
