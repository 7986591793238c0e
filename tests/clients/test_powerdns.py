# SPDX-License-Identifier: MIT
"""What --print-dns=powerdns prints, given to PowerDNS's API, is what PowerDNS answers."""

import contextlib
import json
import os
import pathlib
import re

import pytest

from nameservers import rrsets_of, transfer
from network import POWERDNS
from powerdns import PowerDns, ZONES_URL
from processes import run
from provider import BY_ADDRESS, BY_NAME, configuration, mta_stsd, records_of
from test_dns_tools import GOLDEN, random_configuration

MANUAL = pathlib.Path(__file__).parents[2] / "docs/mta-stsd.8"
OTHERS = {"www": ("A", "192.0.2.80"), "_dmarc": ("TXT", '"v=DMARC1; p=none"')}


@pytest.fixture(name="powerdns", scope="module")
def serving_powerdns(pki, tmp_path_factory):
    del pki
    with PowerDns(tmp_path_factory.mktemp("powerdns")).serving() as powerdns:
        yield powerdns


@pytest.fixture(name="zones")
def zones_of_a_test(powerdns):
    """A function that makes zones, each with records that are not ours."""
    with contextlib.ExitStack() as stack:
        def make(names):
            for name in names:
                powerdns.make_zone(name, **OTHERS)
                stack.callback(powerdns.drop_zone, name)
        yield make


def transfer_all(zones):
    return {key: rrset for zone in zones for key, rrset in transfer(POWERDNS, zone).items()}


def patch(powerdns, folder, config_path, *arguments):
    """As an operator would: a file a zone, each sent to the zone that it is named after."""
    mta_stsd(config_path, "--print-dns=powerdns", "--output", folder, *arguments)
    for path in folder.iterdir():
        zone = path.name.removesuffix(".powerdns.json")
        assert powerdns.call("PATCH", zone, path.read_text(encoding="ascii"), 204) == ""


@pytest.mark.parametrize("source", [BY_NAME, BY_ADDRESS, 1, 2],
                         ids=["by name", "by address", "random 1", "random 2"])
def test_zones_have_the_records_and_what_they_had(pki, powerdns, zones, tmp_path, source):
    config_path = tmp_path / "mta-stsd.yaml"
    config_path.write_text(random_configuration(pki, source) if isinstance(source, int)
                           else configuration(pki, tmp_path, source), encoding="utf-8")
    records = records_of(config_path)
    names = sorted({record["zone"] for record in records})
    zones(names)
    before = transfer_all(names)
    assert len(before) == len(OTHERS) * len(names)
    for _ in range(2):  # the second time it changes nothing
        patch(powerdns, tmp_path / "printed", config_path)
        assert transfer_all(names) == {**before, **rrsets_of(records)}


def test_golden(powerdns, zones):
    """By curl, as an operator would; bytes that no configuration can hold."""
    records = json.loads((GOLDEN / "records.json").read_text(encoding="ascii"))
    records = [record for record in records if record["name"] != record["zone"]]
    text, decoder = (GOLDEN / "powerdns.json").read_text(encoding="ascii"), json.JSONDecoder()
    names = ["example.com", "sts.example", "xn--bcher-kva.example"]
    zones(names)
    before = transfer_all(names)
    for name in names:
        document, end = decoder.raw_decode(text)
        assert document["name"] == f"{name}."
        run("curl", "--fail", "--silent", "--show-error", "-X", "PATCH", "-H", "X-API-Key: secret",
            "--data-binary", "@-", f"{ZONES_URL}/{name}.", stdin=text[:end])
        text = text[end:].lstrip()
    assert text == ""
    assert transfer_all(names) == {**before, **rrsets_of(records)}


CONFIGURATION = """\
%s
policy_host: {name: policy.provider.example}
delegation_zone: sts.example
domains:
  one.example: {mx: [mx.one.example], tls_rpt: ["mailto:a@one.example"], %s}
"""


def patch_by_manual(folder, config_path, *arguments):
    """By the lines of mta-stsd(8), with DIR and the server's address replaced."""
    page = MANUAL.read_text(encoding="utf-8")
    script = re.search(r"^(for file in DIR.*?)^\.Ed$", page, re.MULTILINE | re.DOTALL)[1]
    script = script.replace("\\e\n", "\\\n").replace("DIR", str(folder))
    here = script.replace("http://127.0.0.1:8081/api/v1/servers/localhost/zones", ZONES_URL)
    assert here != script
    mta_stsd(config_path, "--print-dns=powerdns", "--output", folder, *arguments)
    run("bash", "-ec", here, env={**os.environ, "KEY": "secret"})


def test_withheld_record_is_left_as_it_was(pki, zones, tmp_path):
    zones(["one.example"])
    config_path = tmp_path / "mta-stsd.yaml"
    config_path.write_text(CONFIGURATION % ("", ""), encoding="ascii")
    patch_by_manual(tmp_path / "printed", config_path, "--no-certificates")
    published = transfer(POWERDNS, "one.example")
    assert ("_mta-sts.one.example", "TXT") in published
    certificates = f'certificates: [{{chain: "{pki.folder}/live/{{host}}/fullchain.pem"}}]'
    config_path.write_text(CONFIGURATION % (certificates, "mode: enforce"), encoding="ascii")
    patch_by_manual(tmp_path / "printed", config_path)
    assert transfer(POWERDNS, "one.example") == published
    patch_by_manual(tmp_path / "printed", config_path, "--no-certificates")
    seen = transfer(POWERDNS, "one.example")
    assert seen.keys() == published.keys()
    assert seen["_mta-sts.one.example", "TXT"] != published["_mta-sts.one.example", "TXT"]


def test_other_type_in_the_way_is_refused_and_nothing_changes(powerdns, zones, tmp_path):
    """What stands at the name with another type is for a person to delete."""
    zones(["one.example"])
    config_path = tmp_path / "mta-stsd.yaml"
    config_path.write_text(CONFIGURATION % ("", ""), encoding="ascii")
    patch(powerdns, tmp_path / "printed", config_path, "--no-certificates")
    published = transfer(POWERDNS, "one.example")
    config_path.write_text(CONFIGURATION % ("", "delegated: [mta-sts]"), encoding="ascii")
    options = ["--no-certificates", "--side=customer"]
    body = mta_stsd(config_path, "--print-dns=powerdns", *options)
    assert "onflict" in powerdns.call("PATCH", "one.example", body, 422)
    assert transfer(POWERDNS, "one.example") == published
    deletion = {"rrsets": [{"name": "_mta-sts.one.example.", "type": "TXT",
                            "changetype": "DELETE"}]}
    powerdns.call("PATCH", "one.example", json.dumps(deletion), 204)
    powerdns.call("PATCH", "one.example", body, 204)
    wanted = rrsets_of(records_of(config_path, *options))
    seen = transfer(POWERDNS, "one.example")
    assert {key: seen[key] for key in seen if key[0].split(".")[0] not in OTHERS} == wanted


def test_deletions_are_in_the_delegation_zone_alone(zones, tmp_path):
    """In the zone of a domain that left, another provider's records may be by now."""
    names = ["gone.example", "sts.example", "one.example"]
    zones(names)
    config_path = tmp_path / "mta-stsd.yaml"
    before = CONFIGURATION % (f'state: "{tmp_path}"', "delegated: [mta-sts, tls-rpt]")
    config_path.write_text(
        before + "  gone.example: {mx: [mx.gone.example], delegated: [mta-sts]}\n", encoding="ascii")
    patch_by_manual(tmp_path / "printed", config_path, "--no-certificates")
    published = transfer_all(names)
    identity = "0123456789abcdef" * 2
    (tmp_path / "ledger").write_text(
        f"mta-stsd ledger 1\n1000 serves gone.example {identity} enforce 86400 gone.example sts.example "
        "- mx.gone.example\n2000 ends gone.example\n", encoding="ascii")
    config_path.write_text(before, encoding="ascii")
    for _ in range(2):  # the second time there is nothing to delete, which is no error
        patch_by_manual(tmp_path / "printed", config_path, "--no-certificates")
        assert published.keys() - transfer_all(names).keys() == {
            ("_mta-sts.gone.example.sts.example", "TXT")}
