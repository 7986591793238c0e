# SPDX-License-Identifier: MIT
"""postfix-mta-sts-resolver on the same scenarios: where we say that senders ignore the policy, it
does, and where we say that they follow it, it does."""

import asyncio
import pathlib
import subprocess

import dns.message
import dns.query
import dns.rcode
import pytest
from postfix_mta_sts_resolver.resolver import STSResolver

from authority import ROOT_SERVER, SERVERS_ZONE
from processes import running
from scenarios import SCENARIOS

RESOLVER = "127.0.0.1"
NAMED_CONF = """\
options {{
    directory "{folder}";
    pid-file "named.pid";
    session-keyfile "session.key";
    listen-on {{ {address}; }};
    listen-on-v6 {{ none; }};
    dnssec-validation yes;
    servfail-ttl 0;
    notify no;
}};
trust-anchors {{ "." static-key {flags} {protocol} {algorithm} "{key}"; }};
controls {{ }};
zone "." {{ type hint; file "root.hints"; }};
"""
NAMED_FOLDER = pathlib.Path("/var/cache/bind")  # AppArmor leaves named no other
AT_A_TIME = 16


def bind(path, place):
    """In the tests' own namespace."""
    subprocess.run(["mount", "--bind", path, place], check=True, timeout=10)


def resolves():
    answer = dns.query.udp(dns.message.make_query("good.example", "SOA"), RESOLVER, timeout=2)
    return answer.rcode() == dns.rcode.NOERROR


@pytest.fixture(name="fetched", scope="module")
def all_scenarios_fetched(internet, tmp_path_factory):
    """{domain: "VALID", "NONE", ...}"""
    folder = tmp_path_factory.mktemp("resolver")
    flags, protocol, algorithm, *key = (internet.folder / "root.key").read_text().split()[2:]
    (folder / "resolv.conf").write_text(f"nameserver {RESOLVER}\n", encoding="ascii")
    bind(folder / "resolv.conf", "/etc/resolv.conf")
    (folder / "named").mkdir()
    bind(folder / "named", NAMED_FOLDER)
    (NAMED_FOLDER / "named.conf").write_text(NAMED_CONF.format(
        folder=NAMED_FOLDER, address=RESOLVER, flags=flags, protocol=protocol,
        algorithm=algorithm, key="".join(key)), encoding="ascii")
    (NAMED_FOLDER / "root.hints").write_text(
        f". 3600 NS ns.{SERVERS_ZONE}.\nns.{SERVERS_ZONE}. 3600 A {ROOT_SERVER}\n",
        encoding="ascii")
    with running("named", "-g", "-c", NAMED_FOLDER / "named.conf", log=NAMED_FOLDER / "named.log",
                 is_ready=resolves):
        yield asyncio.run(fetch_all())


async def fetch_all():
    resolver = STSResolver(loop=asyncio.get_running_loop())
    gate = asyncio.Semaphore(AT_A_TIME)

    async def fetch(domain):
        async with gate:
            result, _ = await resolver.resolve(domain)
            return domain, result.name

    return dict(await asyncio.gather(*map(fetch, SCENARIOS)))


# Where it does otherwise, and why. The check warns of what only some senders refuse.
OTHERWISE = {
    "bad-id.example": {"VALID"},           # it passes over the grammar of ids
    "mode-in-record.example": {"VALID"},   # and of extensions
    "mx-mail-address.example": {"VALID"},  # and of mx
    "mx-final-dot.example": {"VALID"},
    "mx-empty.example": {"VALID"},
    "lagging.example": {"VALID", "FETCH_ERROR"},  # by the name server that it happens to ask
    "compressed.example": {"FETCH_ERROR"},        # it has not asked for this encoding
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
