# SPDX-License-Identifier: MIT
"""What --print-dns=zone prints makes zones that servers take and answer from, byte for byte."""

import pytest

from nameservers import PROVIDER_ZONE, ask, origin, rrsets_of, transfer, wire
from network import AUTHORITY, POLICY_HOST
from processes import run
from provider import BY_ADDRESS, BY_NAME, configuration, publish, records_of


@pytest.fixture(name="records", scope="module", params=[BY_NAME, BY_ADDRESS],
                ids=["by name", "by address"])
def published_records(pki, knot, request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("zones")
    config_path = folder / "mta-stsd.yaml"
    config_path.write_text(configuration(pki, folder, request.param), encoding="utf-8")
    publish(knot, config_path)
    return records_of(config_path)


def test_checkers_accept_every_zone(knot, records):
    assert {record["zone"] for record in records} < set(knot.zones)
    for zone in knot.zones:
        run("named-checkzone", "-i", "local", zone, knot.file(zone))
        run("kzonecheck", "-o", origin(zone), knot.file(zone))


def test_every_record_is_answered(records):
    for record in records:
        answer, code = ask(AUTHORITY, record["name"], record["type"])
        if record["withheld"]:
            assert (answer, code) == ({}, "NXDOMAIN")
            continue
        rrset = answer[record["type"]]
        assert rrset.ttl == record["ttl"]
        assert wire(record) in [rdata.to_wire() for rdata in rrset]
        assert len(rrset) == 1 or record["type"] in ("A", "AAAA")


def test_nothing_else_is_in_the_zones(knot, records):
    zones = [zone for zone in knot.zones if zone != PROVIDER_ZONE]
    seen = {key: rrset for zone in zones for key, rrset in transfer(AUTHORITY, zone).items()}
    assert seen == rrsets_of(records)


def test_every_kind_of_record_is_there(records, request):
    """What the tests above are worth depends on what was printed."""
    by_name = "by name" in request.node.name
    kinds = {(record["name"], record["type"]) for record in records if not record["withheld"]}
    addresses = {"CNAME"} if by_name else {"A", "AAAA"}
    wanted = {("_mta-sts.enforce.example", "TXT"), ("_smtp._tls.enforce.example", "TXT"),
              ("_mta-sts.mail.enforce.example", "TXT"),
              ("_mta-sts.xn--bcher-kva.example", "TXT"),
              ("_mta-sts.xn--wgv71a119e.example", "CNAME"),
              ("_smtp._tls.xn--wgv71a119e.example", "CNAME"),
              ("_mta-sts.xn--wgv71a119e.example.sts.provider.example", "TXT"),
              ("_smtp._tls.xn--wgv71a119e.example.sts.provider.example", "TXT"),
              ("_mta-sts.half.example", "CNAME"), ("_smtp._tls.half.example", "TXT"),
              ("_smtp._tls.reports.example", "TXT"),
              *(("mta-sts.waiting.example", kind) for kind in addresses)}
    assert wanted <= kinds
    assert {record["type"] for record in records} == {"TXT"} | addresses | {"CNAME"}
    assert {record["name"] for record in records if record["withheld"]} == {
        "_mta-sts.waiting.example", "_mta-sts.proxied.example.sts.provider.example"}
    assert max(len(record["strings"] or "") for record in records) == 2
    assert {name for name, _ in kinds if name.endswith("reports.example")} == {
        "_smtp._tls.reports.example"}
    if not by_name:
        values = {record["value"] for record in records if record["type"] in addresses}
        assert values == set(POLICY_HOST)
