# SPDX-License-Identifier: MIT
"""An Internet of the tests' own: every address is this machine, and Knot DNS has all names.

The root servers are where they are on the Internet, so that a resolver which asks them needs no
settings; its trust anchor and the C library's resolver are those of this Internet.
"""

import contextlib
import pathlib

import unshared
from authority import Authority
from processes import eventually

NAME_SERVER = "45.67.89.54"
POLICY_HOST = "45.67.89.25"
OTHER_MACHINE = "45.67.89.26"
PEBBLE = "45.67.89.70"
FRONT = "45.67.89.71"               # a proxy before pebble
ZONE = "example"                    # all names are below it
CA_NAME, FRONT_NAME = "acme.ca.example", "front.ca.example"
POLICY_NAME = "policy.provider.example"

ROOT = """\
$ORIGIN .
$TTL 60
@ SOA ns.example. hostmaster.example. 1 3600 600 86400 1
@ NS ns.example.
example. NS ns.example.
ns.example. A 45.67.89.54
"""
HEAD = """\
$ORIGIN example.
$TTL 1
@ SOA ns.example. hostmaster.example. 1 3600 600 86400 1
@ NS ns.example.
ns A 45.67.89.54
acme.ca A 45.67.89.70
front.ca A 45.67.89.71
policy.provider A 45.67.89.25
"""


def enter():
    """Moves this process there, with all that it starts. Raises NotPermitted if it may not."""
    unshared.unshare(has_mounts=True)
    unshared.take_addresses("default")


def mount(source, target):
    unshared.run("mount", "--bind", str(source), target)


def policy_hosts(*domains):
    """The CNAME of each policy host, which leads to the daemon under test."""
    return [f"mta-sts.{domain}. CNAME {POLICY_NAME}." for domain in domains]


class Names:
    """One knotd that serves a signed root and the zone."""

    def __init__(self, folder):
        self.folder = folder
        self.authority = Authority(folder, "0.0.0.0", asked=NAME_SERVER)
        self.n_changes = 0

    def _write(self, lines):
        zone = HEAD + "".join(f"{line}\n" for line in lines)
        zone += f"changes TXT {self.n_changes}\n"
        self.authority.write({"": (ROOT, True), ZONE: (zone, False)})

    def publish(self, *lines):
        """Replaces what the zone has beside its head; it is served when this returns."""
        self.n_changes += 1
        self._write(lines)
        self.authority.reload()
        seen = f'"{self.n_changes}"'
        eventually(lambda: seen in self.authority.ask(f"changes.{ZONE}", "TXT"), "a new zone")

    @contextlib.contextmanager
    def serving(self):
        self._write([])
        self.authority.make_key("")
        anchor, stub = self.folder / "root.key", self.folder / "resolv.conf"
        anchor.write_text(self.authority.dnskey("") + "\n", encoding="ascii")
        stub.write_text(f"nameserver {NAME_SERVER}\n", encoding="ascii")
        if pathlib.Path("/usr/share/dns/root.key").exists():
            mount(anchor, "/usr/share/dns/root.key")
        mount(stub, "/etc/resolv.conf")
        with self.authority.serving():
            yield self
