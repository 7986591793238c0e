# SPDX-License-Identifier: MIT
"""A provider and its customers: one configuration with every kind of domain, and its DNS zones."""

import itertools
import json

from client import policy_body
from daemon import run as run_program
from nameservers import PROVIDER_ZONE, make_provider_zone, make_zone
from network import POLICY_HOST

DELEGATION_ZONE = "sts.provider.example"
BY_NAME = "{name: policy.provider.example}"
BY_ADDRESS = f'{{addresses: ["{POLICY_HOST[0]}", "{POLICY_HOST[1]}"]}}'

CONFIGURATION = """\
user: root
listen:
  - address: "192.0.2.25:443"
  - address: "[2001:db8::25]:443"
  - address: "unix:%(folder)s/http.sock"
    tls: false
admin: "off"
workers: 2
log: {access: text}
certificates:
  - chain: "%(pki)s/live/{host}/fullchain.pem"
    key: "%(pki)s/live/{host}/privkey.pem"
policy_host: %(policy_host)s
delegation_zone: sts.provider.example
ttl: {mta_sts: 1, policy_host: 2, tls_rpt: 3}   # a resolver soon forgets what has changed

policies:
  standard:
    mx: [mx1.provider.example, "*.mx.provider.example"]
    tls_rpt: ["mailto:tlsrpt@provider.example"]

domains:
  testing.example: standard
  none.example: {policy: standard, mode: none}
  enforce.example: {policy: standard, mode: enforce, max_age: 2w}
  mail.enforce.example: {policy: standard, zone: enforce.example}
  bücher.example: {policy: standard, mode: enforce, mx: [mx.bücher.example]}
  delegated.example: {policy: standard, mode: enforce, delegated: [mta-sts, tls-rpt]}
  half.example: {policy: standard, delegated: [mta-sts]}
  日本語.example: {policy: standard, mode: enforce, delegated: [mta-sts, tls-rpt]}
  reports.example:
    mta_sts: false
    tls_rpt: ["mailto:%(long)s@reports.example", "mailto:%(long)s@reports.example",
              "mailto:%(long)s@reports.example", "mailto:%(long)s@reports.example",
              "mailto:a%%2cb%%21@reports.example"]
  waiting.example: standard                       # a customer of today: there is no certificate yet
  proxied.example: {policy: standard, mode: enforce, delegated: [mta-sts]}    # nor ever will be
"""
STANDARD_MX = ["mx1.provider.example", "*.mx.provider.example"]
POLICIES = {  # what senders are to see: mode, max_age, mx
    "testing.example": ("testing", 604800, STANDARD_MX),
    "none.example": ("none", 86400, STANDARD_MX),
    "enforce.example": ("enforce", 1209600, STANDARD_MX),
    "mail.enforce.example": ("testing", 604800, STANDARD_MX),
    "xn--bcher-kva.example": ("enforce", 604800, ["mx.xn--bcher-kva.example"]),
    "delegated.example": ("enforce", 604800, STANDARD_MX),
    "half.example": ("testing", 604800, STANDARD_MX),
    "xn--wgv71a119e.example": ("enforce", 604800, STANDARD_MX),
}

def configuration(pki, folder, policy_host=BY_NAME):
    return CONFIGURATION % {"pki": pki.folder, "folder": folder, "policy_host": policy_host,
                            "long": "x" * 60}


def body_of(domain):
    mode, max_age, mx = POLICIES[domain]
    return policy_body(*mx, mode=mode, max_age=max_age)


def mta_stsd(config_path, *arguments):
    """What a mode that does not serve prints on standard output."""
    done = run_program("-c", config_path, *arguments)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def records_of(config_path, *arguments):
    return json.loads(mta_stsd(config_path, "--print-dns=json", *arguments))


def make_customer_zone(zone, *lines):
    """A customer's zone: where its mail goes, and what is to be added."""
    return make_zone(zone, "@ MX 10 mx1.provider.example.", '@ TXT "v=spf1 mx -all"', *lines)


_folders = itertools.count(1)


def publish(knot, config_path, *arguments, more_zones=()):
    """Loads knotd with zones made of what --print-dns has printed and nothing else.

    arguments   more options of --print-dns
    more_zones  {name: text} of zones that others have made
    """
    folder = knot.folder / f"printed-{next(_folders)}"
    mta_stsd(config_path, "--print-dns", "--output", folder, *arguments)
    zones = {path.stem: make_customer_zone(path.stem, f"$INCLUDE {path}")
             for path in folder.glob("*.zone")}
    knot.load({**zones, PROVIDER_ZONE: make_provider_zone(DELEGATION_ZONE), **dict(more_zones)})
