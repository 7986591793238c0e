# SPDX-License-Identifier: MIT
"""--print-dns: the records of every kind of domain, in every format, whole or in part."""

import json
import os

import pytest

from client import policy_body, policy_id
from daemon import run, write_configuration

ID = policy_id(policy_body("mx.example.com"))
SETTINGS = {
    "policy_host": {"name": "policy.provider.example"},
    "delegation_zone": "sts.provider.example",
    "domains": {
        "example.com": {"mx": ["mx.example.com"], "tls_rpt": ["mailto:tlsrpt@example.com"]},
        "example.info": {"mta_sts": False, "tls_rpt": ["mailto:tlsrpt@example.com"]},
        "bücher.example": {"mx": ["mx.example.com"], "tls_rpt": ["mailto:tlsrpt@example.com"],
                           "delegated": ["mta-sts", "tls-rpt"]},
    },
}
STS, RPT = f"v=STSv1; id={ID};", "v=TLSRPTv1; rua=mailto:tlsrpt@example.com"
BUCHER = "xn--bcher-kva.example"
CUSTOMER, PROVIDER = "customer", "provider"
# side, zone, name, TTL, type, value
RECORDS = [
    (PROVIDER, "example.com", "_mta-sts.example.com", 300, "TXT", STS),
    (PROVIDER, "example.com", "mta-sts.example.com", 3600, "CNAME", "policy.provider.example"),
    (PROVIDER, "example.com", "_smtp._tls.example.com", 3600, "TXT", RPT),
    (PROVIDER, "example.info", "_smtp._tls.example.info", 3600, "TXT", RPT),
    (PROVIDER, "sts.provider.example", f"_mta-sts.{BUCHER}.sts.provider.example", 300, "TXT", STS),
    (PROVIDER, "sts.provider.example", f"_smtp._tls.{BUCHER}.sts.provider.example", 3600, "TXT",
     RPT),
    (CUSTOMER, BUCHER, f"_mta-sts.{BUCHER}", 300, "CNAME",
     f"_mta-sts.{BUCHER}.sts.provider.example"),
    (CUSTOMER, BUCHER, f"mta-sts.{BUCHER}", 3600, "CNAME", "policy.provider.example"),
    (CUSTOMER, BUCHER, f"_smtp._tls.{BUCHER}", 3600, "CNAME",
     f"_smtp._tls.{BUCHER}.sts.provider.example"),
]
SUFFIXES = {"zone": ".zone", "panel": ".txt", "nsupdate": ".nsupdate", "json": ".json",
            "octodns": ".yaml", "dnscontrol": ".js", "terraform-route53": ".route53.tf",
            "terraform-cloudflare": ".cloudflare.tf", "powerdns": ".powerdns.json"}


@pytest.fixture(name="print_dns")
def run_print_dns(tmp_path):
    def print_dns(*options, settings=None, status=0):
        path = write_configuration(tmp_path / "a.yaml", settings or SETTINGS)
        process = run("-c", path, *options)
        assert process.returncode == status, process.stderr.decode()
        return process.stdout.decode(), process.stderr.decode()
    return print_dns


def rdata(kind, value):
    """The value as zone files and nsupdate want it."""
    return {"TXT": f'"{value}"', "CNAME": f"{value}."}.get(kind, value)


def zones(records):
    """The records of each zone, in the order of the names of the zones."""
    names = list(dict.fromkeys(zone for _, zone, *_ in records))
    return [(name, [record for record in records if record[1] == name]) for name in names]


def as_zone(records):
    return [line for zone, members in zones(records)
            for line in [f"; zone {zone}"] + [
                f"{name}. {ttl} IN {kind} {rdata(kind, value)}"
                for _, _, name, ttl, kind, value in members]]


def as_panel(records):
    return [line for zone, members in zones(records)
            for line in [f"Zone {zone}", "Name Type TTL Value"] + [
                f"{name.removesuffix('.' + zone)} {kind} {ttl} {value}"
                for _, _, name, ttl, kind, value in members]]


def as_nsupdate(records):
    """Without the lines that delete what is there."""
    return [line for zone, members in zones(records)
            for line in [f"zone {zone}."] + [
                f"update add {name}. {ttl} IN {kind} {rdata(kind, value)}"
                for _, _, name, ttl, kind, value in members] + ["send"]]


def lines_of(output):
    """Without empty lines and what only aligns the columns."""
    return [" ".join(line.split()) for line in output.splitlines()
            if line and not line.startswith("update delete ")]


def records_of_json(output):
    keys = ("side", "zone", "name", "ttl", "type", "value")
    return [tuple(record[key] for key in keys) for record in json.loads(output)]


@pytest.mark.parametrize("option, render", [
    ("--print-dns", as_zone), ("--print-dns=zone", as_zone), ("--print-dns=panel", as_panel),
    ("--print-dns=nsupdate", as_nsupdate)])
def test_formats(print_dns, option, render):
    output, errors = print_dns(option, "--no-certificates")
    assert lines_of(output) == render(RECORDS)
    assert errors == ""


def test_json(print_dns):
    output, _ = print_dns("--print-dns=json", "--no-certificates")
    assert records_of_json(output) == RECORDS


@pytest.mark.parametrize("side", [CUSTOMER, PROVIDER])
def test_side(print_dns, side):
    output, _ = print_dns("--print-dns=json", "--no-certificates", "--side", side)
    assert records_of_json(output) == [record for record in RECORDS if record[0] == side]


@pytest.mark.parametrize("delegated, sides", [
    (["mta-sts"], (CUSTOMER, PROVIDER, CUSTOMER, CUSTOMER)),
    (["tls-rpt"], (PROVIDER, PROVIDER, PROVIDER, PROVIDER))])
def test_side_of_a_domain_delegated_in_part(print_dns, delegated, sides):
    """The id changes with the policy, so it decides whose side the domain is on."""
    domain = {**SETTINGS["domains"]["bücher.example"], "delegated": delegated}
    output, _ = print_dns("--print-dns=json", "--no-certificates", "--domain", "bücher.example",
                          settings={**SETTINGS, "domains": {"bücher.example": domain}})
    own = [record for record in json.loads(output) if record["zone"] == BUCHER]
    rest = [record for record in json.loads(output) if record["zone"] != BUCHER]
    assert (own[0]["side"], rest[0]["side"], own[1]["side"], own[2]["side"]) == sides


@pytest.mark.parametrize("option, column", [("--print-dns", " IN "), ("--print-dns=panel", "300  ")])
def test_columns_are_aligned(print_dns, option, column):
    """Also in the delegation zone, where names are long."""
    output, _ = print_dns(option, "--no-certificates", settings={**SETTINGS, "ttl": {
        "mta_sts": 300, "policy_host": 300, "tls_rpt": 300}})
    for zone in output.split("\n\n"):
        places = {line.index(column) for line in zone.splitlines() if column in line}
        assert len(places) <= 1, zone


@pytest.mark.parametrize("domains", [
    ["example.com"], ["example.info", "example.com"], ["EXAMPLE.com.", "example.com"],
    ["bücher.example"]], ids=" ".join)
def test_domain(print_dns, domains):
    options = [option for domain in domains for option in ("--domain", domain)]
    output, _ = print_dns("--print-dns=json", "--no-certificates", *options)
    wanted = {domain.lower().rstrip(".").replace("bücher.example", BUCHER) for domain in domains}
    assert {record["domain"] for record in json.loads(output)} == wanted
    assert records_of_json(output) == [record for record in RECORDS
                                       if any(f".{domain}" in record[2] for domain in wanted)]


def test_domain_that_is_not_ours(print_dns):
    output, errors = print_dns("--print-dns", "--no-certificates", "--domain", "stranger.test",
                               status=2)
    assert output == ""
    assert errors == "mta-stsd: 'stranger.test' is not a domain of the configuration\n"


@pytest.mark.parametrize("name", SUFFIXES)
def test_output_is_a_file_a_zone(print_dns, tmp_path, name):
    folder = tmp_path / "zones"
    folder.mkdir()
    (folder / f"example.com{SUFFIXES[name]}").write_text("old")
    output, errors = print_dns(f"--print-dns={name}", "--no-certificates", "--output", folder)
    assert (output, errors) == ("", f"mta-stsd: 4 files written to {folder}\n")
    _, errors = print_dns("--print-dns", "--no-certificates", "--output", folder / "one",
                          "--domain", "example.com")
    assert errors == f"mta-stsd: 1 file written to {folder}/one\n"
    (folder / "one" / "example.com.zone").unlink()
    (folder / "one").rmdir()
    assert sorted(os.listdir(folder)) == sorted(zone + SUFFIXES[name] for zone, _ in zones(RECORDS))
    whole, _ = print_dns(f"--print-dns={name}", "--no-certificates")
    contents = {zone: (folder / f"{zone}{SUFFIXES[name]}").read_text() for zone, _ in zones(RECORDS)}
    heading = os.path.commonprefix(list(contents.values()))
    for zone, content in contents.items():
        if name == "json":
            assert records_of_json(content) == dict(zones(RECORDS))[zone]
        else:
            assert whole.startswith(heading) and content.removeprefix(heading) in whole


def test_output_that_cannot_be_written(print_dns, tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "absent" / "zones"):
        output, errors = print_dns("--print-dns", "--no-certificates", "--output", folder, status=3)
        assert output == ""
        assert errors.startswith("mta-stsd: --output: ")


def test_addresses_instead_of_a_name(print_dns):
    settings = {**SETTINGS, "policy_host": {"addresses": ["192.0.2.1", "2001:db8::1"]}}
    output, _ = print_dns("--print-dns", "--no-certificates", "--domain", "example.com",
                          settings=settings)
    assert lines_of(output)[2:4] == ["mta-sts.example.com. 3600 IN A 192.0.2.1",
                                     "mta-sts.example.com. 3600 IN AAAA 2001:db8::1"]


def test_policy_host_that_is_not_set(print_dns):
    settings = {**SETTINGS, "policy_host": {}}
    output, errors = print_dns("--print-dns", "--no-certificates", settings=settings)
    assert " mta-sts." not in output
    assert errors == ("mta-stsd: policy_host is not set, so what mta-sts.<domain> points to is not "
                      "printed; give policy_host: {name: ...} or {addresses: [...]}\n")


@pytest.fixture(name="half_certified")
def settings_with_one_certificate(pki):
    """example.com has a certificate, bücher.example has none."""
    return {**SETTINGS, "certificates": [pki.source]}


@pytest.mark.parametrize("options, status", [([], 0), (["--strict"], 1)])
def test_withheld_record(print_dns, half_certified, options, status):
    output, errors = print_dns("--print-dns", *options, settings=half_certified, status=status)
    name = f"_mta-sts.{BUCHER}.sts.provider.example."
    lines = lines_of(output)
    withheld = [line for line in lines if "withheld" in line]
    assert len(withheld) == 1
    assert withheld[0].startswith(f'; withheld: {name} 300 IN TXT "{STS}": no certificate for '
                                  f"mta-sts.{BUCHER} yet: ")
    assert [line for line in lines if line not in withheld] == \
        [line for line in as_zone(RECORDS) if not line.startswith(name)]
    assert errors == ("mta-stsd: 1 _mta-sts record is withheld until its policy can be fetched; "
                      "the reason stands beside each\n")


def test_withheld_record_in_other_formats(print_dns, half_certified):
    output, _ = print_dns("--print-dns=nsupdate", settings=half_certified)
    assert f"update add _mta-sts.{BUCHER}.sts" not in output
    assert f"\n; withheld: _mta-sts.{BUCHER}.sts.provider.example. " in output
    _, errors = print_dns("--print-dns=powerdns", settings=half_certified)
    assert errors.endswith("; --print-dns=zone says why\n")
    output, _ = print_dns("--print-dns=panel", settings=half_certified)
    assert "(withheld, publish nothing yet: no certificate for " in output
    output, _ = print_dns("--print-dns=json", settings=half_certified)
    assert [record["name"] for record in json.loads(output) if record["withheld"]] == \
        [f"_mta-sts.{BUCHER}.sts.provider.example"]


def test_only_what_is_printed_counts_as_withheld(print_dns, half_certified):
    for part in ("--side=customer", "--domain=example.com"):
        _, errors = print_dns("--print-dns", "--strict", part, settings=half_certified)
        assert errors == ""


def test_expired_certificate_withholds_nothing(print_dns, pki, tmp_path):
    chain, key = pki.issue(tmp_path, "mta-sts.example.com", f"mta-sts.{BUCHER}", days=-1)
    settings = {**SETTINGS, "certificates": [{"chain": str(chain), "key": str(key)}]}
    output, errors = print_dns("--print-dns", settings=settings)
    assert (lines_of(output), errors) == (as_zone(RECORDS), "")


@pytest.mark.parametrize("path, reason", [
    ("absent", "No such file or directory"), ("file", "Not a directory")])
def test_certificates_that_cannot_be_listed(print_dns, tmp_path, path, reason):
    """Nothing is printed: tools that delete what is absent would take every id off the air."""
    (tmp_path / "file").touch()
    settings = {**SETTINGS, "certificates": [{"chain": f"{tmp_path}/{path}/{{host}}.pem"}]}
    output, errors = print_dns("--print-dns", settings=settings, status=3)
    assert output == ""
    assert f"'{tmp_path}/{path}' cannot be listed: {reason}" in errors


@pytest.mark.skipif(os.path.exists("/etc/letsencrypt/live"), reason="certbot is in use here")
def test_default_folder_may_be_absent(print_dns):
    _, errors = print_dns("--print-dns")
    assert errors == ("mta-stsd: 2 _mta-sts records are withheld until their policies can be fetched; "
                      "the reason stands beside each\n")


def test_no_listener_with_tls_withholds_nothing(print_dns, tmp_path):
    listen = [{"address": f"unix:{tmp_path}/http.sock", "tls": False}]
    output, errors = print_dns("--print-dns", settings={**SETTINGS, "listen": listen})
    assert (lines_of(output), errors) == (as_zone(RECORDS), "")
