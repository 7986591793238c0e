# SPDX-License-Identifier: MIT
"""What --print-dns=nsupdate prints changes the zones of a running BIND into what is wanted."""

import itertools

import pytest

from nameservers import rrsets_of, transfer
from network import RESOLVER
from processes import run
from provider import BY_ADDRESS, BY_NAME, mta_stsd, records_of

# policy_host, and how each of the two domains goes on.
STATES = {
    "testing": (BY_NAME, ""),
    "enforced": (BY_NAME, "mode: enforce"),
    "delegated": (BY_NAME, "mode: enforce, delegated: [mta-sts, tls-rpt]"),
    "by address": (BY_ADDRESS, "delegated: [tls-rpt]"),
}
CONFIGURATION = """\
policy_host: %s
delegation_zone: sts.dynamic.example
domains:
  one.example: {mx: [mx.one.example], tls_rpt: ["mailto:a@one.example"], %s}
  münchen.example: {mx: [mx.one.example], tls_rpt: ["mailto:a%%2cb@one.example"], %s}
"""


@pytest.fixture(name="update")
def update_in_test(named, tmp_path):
    """Publishes a configuration as an operator would; returns (wanted, seen) at its names."""
    del named
    config_path = tmp_path / "mta-stsd.yaml"

    def update(configuration, *arguments):
        config_path.write_text(configuration, encoding="utf-8")
        run("nsupdate", stdin=mta_stsd(config_path, "--print-dns=nsupdate", *arguments))
        records = records_of(config_path, *arguments)
        names = {record["name"] for record in records}
        zones = sorted({record["zone"] for record in records})
        seen = {key: rrset for zone in zones for key, rrset in transfer(RESOLVER, zone).items()}
        return rrsets_of(records), {key: seen[key] for key in seen if key[0] in names}

    return update


@pytest.mark.parametrize("before, after", itertools.permutations(STATES, 2))
def test_from_state_to_state(update, before, after):
    for state in (before, after, after):
        policy_host, keys = STATES[state]
        wanted, seen = update(CONFIGURATION % (policy_host, keys, keys), "--no-certificates")
        assert seen == wanted


def test_new_id_takes_the_place_of_the_old_one(update):
    values = []
    for state in ("testing", "enforced"):
        policy_host, keys = STATES[state]
        _, seen = update(CONFIGURATION % (policy_host, keys, keys), "--no-certificates")
        values.append(seen["_mta-sts.one.example", "TXT"][1])
    assert [len(value) for value in values] == [1, 1]
    assert values[0] != values[1]


def test_more_records_than_one_message_takes(update):
    domains = "".join(f"  d{i}.many.example: {{policy: shared, zone: many.example}}\n"
                      for i in range(120))
    configuration = ("delegation_zone: sts.dynamic.example\npolicy_host: " + BY_NAME +
                     "\npolicies:\n  shared:\n    mx: [mx.one.example]\n    "
                     'tls_rpt: ["mailto:a@one.example"]\ndomains:\n' + domains)
    for entry in ("zone: many.example", "zone: many.example, delegated: [mta-sts, tls-rpt]"):
        wanted, seen = update(configuration.replace("zone: many.example", entry),
                              "--no-certificates")
        assert seen == wanted
        assert len(seen) >= 360


def test_withheld_record_is_left_as_it_was(update, pki):
    """A certificate that has gone is no reason to take back what is published."""
    pki.make("mta-sts.xn--mnchen-3ya.example")
    published, _ = update(CONFIGURATION % (BY_NAME, "", ""), "--no-certificates")
    configuration = (f'certificates: [{{chain: "{pki.folder}/live/{{host}}/fullchain.pem", '
                     f'key: "{pki.folder}/live/{{host}}/privkey.pem"}}]\n' +
                     CONFIGURATION % (BY_NAME, "mode: enforce", "mode: enforce"))
    wanted, seen = update(configuration)
    key = "_mta-sts.one.example", "TXT"
    assert key not in wanted
    assert seen[key] == published[key]
    key = "_mta-sts.xn--mnchen-3ya.example", "TXT"
    assert seen[key] == wanted[key] != published[key]
