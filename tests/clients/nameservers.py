# SPDX-License-Identifier: MIT
"""Real name servers: Knot has zones in files, BIND takes updates and is what senders ask."""

import base64
import contextlib
import ipaddress
import itertools
import secrets

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.zone

from network import AUTHORITY, NAMED_FOLDER, POLICY_HOST, RESOLVER
from processes import run, running

KNOT_NAME = "ns.provider.example."
NAMED_NAME = "ns.dynamic.example."
PROVIDER_ZONE = "provider.example"
DYNAMIC_ZONES = ["dynamic.example", "sts.dynamic.example", "one.example", "many.example",
                 "xn--mnchen-3ya.example"]

# What makes a zone of the records that --print-dns has printed.
HEADER = """\
$ORIGIN {zone}
$TTL 3600
@ SOA {server} hostmaster.provider.example. {serial} 3600 600 86400 1
@ NS {server}
"""
_serials = itertools.count(1)


def origin(zone):
    return zone.rstrip(".") + "."


def make_zone(zone, *lines, server=KNOT_NAME):
    head = HEADER.format(zone=origin(zone), server=server, serial=next(_serials))
    return head + "".join(f"{line}\n" for line in lines)


def make_provider_zone(*subzones):
    """What a provider has in DNS anyhow: its name server, its MX host, its policy_host."""
    ipv4, ipv6 = POLICY_HOST
    cuts = (f"{origin(zone)} NS {KNOT_NAME}" for zone in subzones)
    return make_zone(PROVIDER_ZONE, f"ns A {AUTHORITY}", f"mx1 A {AUTHORITY}", f"policy A {ipv4}",
                     f"policy AAAA {ipv6}", *cuts)


def ask(server, name, kind):
    """The RRsets of the answer by type, and the response code."""
    query = dns.message.make_query(dns.name.from_text(name), kind, use_edns=True)
    response = dns.query.tcp(query, server, timeout=5)
    answer = {dns.rdatatype.to_text(rrset.rdtype): rrset for rrset in response.answer}
    return answer, dns.rcode.to_text(response.rcode())


def transfer(server, zone):
    """All of a zone below its apex: {(name, type): (TTL, set of the rdata's bytes)}."""
    loaded = dns.zone.Zone(dns.name.from_text(zone), relativize=False)
    dns.query.inbound_xfr(server, loaded, timeout=5)
    return {(name.to_text(omit_final_dot=True), dns.rdatatype.to_text(rdataset.rdtype)):
            (rdataset.ttl, {rdata.to_wire() for rdata in rdataset})
            for name, rdataset in loaded.iterate_rdatasets() if name != loaded.origin}


def wire(record):
    """The bytes of rdata that a record of --print-dns=json stands for."""
    if record["type"] == "TXT":
        strings = [string.encode("ascii") for string in record["strings"]]
        assert b"".join(strings) == record["value"].encode("ascii")
        return b"".join(bytes([len(string)]) + string for string in strings)
    if record["type"] == "CNAME":
        return dns.name.from_text(record["value"]).to_wire()
    return ipaddress.ip_address(record["value"]).packed


def rrsets_of(records):
    """What transfer() has to show where these records, of --print-dns=json, are published."""
    rrsets = {}
    for record in records:
        if not record["withheld"]:
            key = record["name"], record["type"]
            rrsets.setdefault(key, (record["ttl"], set()))[1].add(wire(record))
    return rrsets


class Knot:
    """knotd, authoritative for the zones it is given and for a root that delegates them."""

    def __init__(self, folder):
        self.folder = folder
        self.zones = {}

    @contextlib.contextmanager
    def serving(self):
        self._write()
        with running("knotd", "-c", self.folder / "knot.conf", log=self.folder / "knotd.log",
                     is_ready=lambda: ask(AUTHORITY, ".", "SOA")[0]):
            yield self

    def load(self, zones):
        """Replaces all zones by these, {name: text}; they are served when it returns."""
        self.zones = zones
        self._write()
        run("knotc", "-b", "-s", self.folder / "knot.sock", "reload")

    def file(self, zone):
        return self.folder / f"{zone}.db"

    def _write(self):
        cuts = [f"{origin(zone)} NS {KNOT_NAME}" for zone in self.zones]
        glue = [f"{KNOT_NAME} A {AUTHORITY}"]
        zones = {**self.zones, "": make_zone("", *cuts, *glue)}
        for zone, text in zones.items():
            self.file(zone).write_text(text, encoding="ascii")
        entries = "".join(f'  - domain: "{origin(zone)}"\n    file: "{self.file(zone)}"\n'
                          for zone in zones)
        (self.folder / "knot.conf").write_text(
            KNOT_CONF.format(address=AUTHORITY, folder=self.folder) + entries, encoding="ascii")


KNOT_CONF = """\
server:
    listen: {address}@53
    rundir: "{folder}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
control:
    listen: "{folder}/knot.sock"
database:
    storage: "{folder}"
log:
  - target: stderr
    any: info
acl:
  - id: transfers
    action: transfer
template:
  - id: default
    acl: transfers
    zonefile-load: whole
    zonefile-sync: -1
    journal-content: none
zone:
"""


class Named:
    """BIND's named: a sender's resolver, and authoritative for zones that nsupdate may change.

    zones  {name: text}; "" is the root, which is Knot's unless it is among them. None: DYNAMIC_ZONES
    keys   {zone: name of the TSIG key that may change it}; without one anybody may
    """

    def __init__(self, zones=None, keys=()):
        self.zones = make_dynamic_zones() if zones is None else zones
        self.keys = dict(keys)

    @contextlib.contextmanager
    def serving(self):
        self._write()
        with running("named", "-g", "-c", NAMED_FOLDER / "named.conf",
                     log=NAMED_FOLDER / "named.log",
                     is_ready=lambda: ask(RESOLVER, "dynamic.example", "SOA")[0]):
            yield self

    def _write(self):
        conf = NAMED_CONF.format(folder=NAMED_FOLDER, address=RESOLVER)
        for name in sorted(set(self.keys.values())):
            (NAMED_FOLDER / f"{name}.key").write_text(make_key(name), encoding="ascii")
            conf += f'include "{name}.key";\n'
        if "" not in self.zones:
            conf += 'zone "." { type hint; file "root.hints"; };\n'
        for zone, text in self.zones.items():
            (NAMED_FOLDER / f"{zone}.db").write_text(text, encoding="ascii")
            who = f"key {self.keys[zone]}" if zone in self.keys else "any"
            conf += (f'zone "{origin(zone)}" '
                     f'{{ type primary; file "{zone}.db"; allow-update {{ {who}; }}; }};\n')
        (NAMED_FOLDER / "named.conf").write_text(conf, encoding="ascii")
        (NAMED_FOLDER / "root.hints").write_text(
            f". 3600 NS {KNOT_NAME}\n{KNOT_NAME} 3600 A {AUTHORITY}\n", encoding="ascii")


def make_dynamic_zones():
    return {zone: make_zone(zone, *([f"ns A {RESOLVER}"] if NAMED_NAME == f"ns.{zone}." else []),
                            server=NAMED_NAME)
            for zone in DYNAMIC_ZONES}


def make_key(name):
    """As tsig-keygen prints it, and as nsupdate -k and BIND read it."""
    secret = base64.b64encode(secrets.token_bytes(32)).decode("ascii")
    return f'key "{name}" {{ algorithm hmac-sha256; secret "{secret}"; }};\n'


NAMED_CONF = """\
options {{
    directory "{folder}";
    pid-file "named.pid";
    session-keyfile "session.key";
    listen-on {{ {address}; }};
    listen-on-v6 {{ none; }};
    allow-query {{ any; }};
    allow-recursion {{ any; }};
    allow-transfer {{ any; }};
    dnssec-validation no;
    servfail-ttl 0;
    notify no;
}};
controls {{ }};
"""
