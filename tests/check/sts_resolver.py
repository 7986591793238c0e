# SPDX-License-Identifier: MIT
"""postfix-mta-sts-resolver, with BIND as the resolver that it asks."""

import asyncio
import contextlib
import pathlib
import subprocess

import dns.message
import dns.query
import dns.rcode
from postfix_mta_sts_resolver.resolver import STSResolver

from authority import ROOT_SERVER, SERVERS_ZONE
from processes import running

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


def _bind(path, place):
    """In a namespace of mounts that is the caller's own."""
    subprocess.run(["mount", "--bind", path, place], check=True, timeout=10)


def _resolves():
    answer = dns.query.udp(dns.message.make_query(SERVERS_ZONE, "SOA"), RESOLVER, timeout=2)
    return answer.rcode() == dns.rcode.NOERROR


@contextlib.contextmanager
def resolving(folder, internet):
    """BIND as the resolver of this network."""
    flags, protocol, algorithm, *key = (internet.folder / "root.key").read_text().split()[2:]
    (folder / "resolv.conf").write_text(f"nameserver {RESOLVER}\n", encoding="ascii")
    _bind(folder / "resolv.conf", "/etc/resolv.conf")
    (folder / "named").mkdir()
    _bind(folder / "named", NAMED_FOLDER)
    (NAMED_FOLDER / "named.conf").write_text(NAMED_CONF.format(
        folder=NAMED_FOLDER, address=RESOLVER, flags=flags, protocol=protocol,
        algorithm=algorithm, key="".join(key)), encoding="ascii")
    (NAMED_FOLDER / "root.hints").write_text(
        f". 3600 NS ns.{SERVERS_ZONE}.\nns.{SERVERS_ZONE}. 3600 A {ROOT_SERVER}\n",
        encoding="ascii")
    with running("named", "-g", "-c", NAMED_FOLDER / "named.conf", log=NAMED_FOLDER / "named.log",
                 is_ready=_resolves):
        yield


async def _fetch_all(domains, n_at_a_time):
    resolver = STSResolver(loop=asyncio.get_running_loop())
    gate = asyncio.Semaphore(n_at_a_time)

    async def fetch(domain):
        async with gate:
            result, _ = await resolver.resolve(domain)
            return domain, result.name

    return dict(await asyncio.gather(*map(fetch, domains)))


def fetch_all(domains, n_at_a_time=AT_A_TIME):
    """{domain: "VALID", "NONE", ...}"""
    return asyncio.run(_fetch_all(domains, n_at_a_time))
