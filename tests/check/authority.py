# SPDX-License-Identifier: MIT
"""Knot DNS as every name server of the tests' Internet: a signed root, and zones below it."""

import contextlib
import subprocess

import dns.message
import dns.query

from network import BROKEN_SERVER, DEAF_SERVER, ROOT_SERVER, SECOND_SERVER
from processes import run, running

SERVERS = {"ns": ROOT_SERVER, "ns2": SECOND_SERVER, "deaf": DEAF_SERVER,
           "broken": BROKEN_SERVER}
SERVERS_ZONE = "servers.example"
HEAD = """\
$ORIGIN {zone}.
$TTL 60
@ SOA ns.servers.example. hostmaster.servers.example. {serial} 3600 600 86400 1
"""
# A key that no zone has: whatever the zone says is bogus.
FOREIGN_DS = "DS 12345 13 2 " + "AB" * 32

CONF = """\
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
    any: warning
policy:
  - id: manual
    manual: on
    single-type-signing: on
    algorithm: ecdsap256sha256
template:
  - id: default
    zonefile-load: difference-no-serial
    zonefile-sync: -1
    journal-content: all
    dnssec-policy: manual
zone:
"""


class Zone:
    """Lines of a zone, without its SOA and NS."""

    def __init__(self, *lines, signed=False, servers=("ns",), ds=None, second=None):
        self.lines, self.signed, self.servers, self.ds = lines, signed, servers, ds
        self.second = second  # what the second server has instead


class Authority:
    """One knotd that listens at `address`; `asked` is where it is asked if that is any address."""

    def __init__(self, folder, address, asked=None):
        self.folder, self.address, self.asked = folder, address, asked or address
        self.conf = folder / "knot.conf"

    def write(self, zones):
        """zones  {name without final dot, "" for the root: (text, whether it is signed)}"""
        conf = CONF.format(address=self.address, folder=self.folder)
        for name, (text, signed) in zones.items():
            file = self.folder / f"{name}.db"
            file.write_text(text, encoding="utf-8")
            conf += f'  - domain: "{name}."\n    file: "{file}"\n'
            conf += "    dnssec-signing: on\n" if signed else ""
        self.conf.write_text(conf, encoding="ascii")

    def make_key(self, name):
        """Returns the DS record."""
        self.keymgr(name, "generate", "ksk=yes", "zsk=yes", "algorithm=ecdsap256sha256")
        lines = self.keymgr(name, "ds").splitlines()
        return next(line for line in lines if line.split()[-2] == "2").split(None, 1)[1]

    def dnskey(self, name):
        return self.keymgr(name, "dnskey").strip()

    def keymgr(self, name, *arguments):
        done = subprocess.run(["keymgr", "-c", str(self.conf), f"{name}.", *arguments], check=True,
                              capture_output=True, timeout=20)
        return done.stdout.decode()

    def is_up(self):
        self.ask(".", "SOA")
        return True

    def ask(self, name, kind):
        """The answer as text."""
        query = dns.message.make_query(name, kind)
        return dns.query.udp(query, self.asked, timeout=1).to_text()

    def serving(self):
        return running("knotd", "-c", self.conf, log=self.folder / "knotd.log", is_ready=self.is_up)

    def reload(self):
        run("knotc", "-b", "-s", self.folder / "knot.sock", "reload")


def _text(name, zone, serial, lines):
    head = HEAD.format(zone=name, serial=serial) if name else \
        HEAD.format(zone="", serial=serial)
    servers = "".join(f"@ NS {server}.{SERVERS_ZONE}.\n" for server in zone.servers)
    return head + servers + "".join(f"{line}\n" for line in lines)


class Internet:
    """The root, the zones and their servers; `unbound_conf` is what a resolver needs to know."""

    def __init__(self, folder):
        self.folder = folder
        self.unbound_conf = folder / "unbound.conf"
        self.first, self.second = folder / "first", folder / "second"

    @contextlib.contextmanager
    def serving(self, zones):
        for sub in (self.first, self.second):
            sub.mkdir()
        first, second = Authority(self.first, ROOT_SERVER), Authority(self.second, SECOND_SERVER)
        addresses = [f"{name} A {address}" for name, address in SERVERS.items()]
        zones = {**zones, SERVERS_ZONE: Zone(*addresses)}
        first.write({"": ("", True), **{name: ("", zone.signed) for name, zone in zones.items()
                                                  if "ns" in zone.servers}})
        cuts = []
        for name, zone in zones.items():
            cuts += [f"{name}. NS {server}.{SERVERS_ZONE}." for server in zone.servers]
            cuts += [f"{name}. {first.make_key(name)}"] if zone.signed else []
            cuts += [f"{name}. {zone.ds}"] if zone.ds else []
        glue = [f"{name}.{SERVERS_ZONE}. A {address}" for name, address in SERVERS.items()]
        first.make_key("")
        first.write({"": (_text("", Zone(), 1, cuts + glue), True),
                     **{name: (_text(name, zone, 1, zone.lines), zone.signed)
                        for name, zone in zones.items() if "ns" in zone.servers}})
        second.write({"servers.example": (_text(SERVERS_ZONE, Zone(), 1, addresses), False),
                      **{name: (_text(name, zone, 1, zone.second or zone.lines), False)
                         for name, zone in zones.items() if "ns2" in zone.servers}})
        self._write_unbound(first.dnskey(""))
        with first.serving(), second.serving():
            yield self

    def _write_unbound(self, root_key):
        (self.folder / "root.key").write_text(root_key + "\n", encoding="ascii")
        (self.folder / "root.hints").write_text(
            f". 3600 NS ns.{SERVERS_ZONE}.\nns.{SERVERS_ZONE}. 3600 A {ROOT_SERVER}\n",
            encoding="ascii")
        self.unbound_conf.write_text(
            f'server:\n    root-hints: "{self.folder}/root.hints"\n'
            f'    trust-anchor-file: "{self.folder}/root.key"\n'
            '    do-not-query-localhost: no\n', encoding="ascii")
