# SPDX-License-Identifier: MIT
"""--print-dns: the records of every kind of domain, in every format, whole or in part."""

import json
import os
import socket
import time

import pytest

from client import policy_body, policy_id
from daemon import run, write_configuration
from operated import operate_in_test, wait_until  # noqa: F401
from pki import Pki, openssl

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
    """example.com has a certificate that senders accept, bücher.example has none."""
    return {**SETTINGS, "certificates": [pki.source]}


@pytest.mark.parametrize("options, status", [([], 0), (["--strict"], 1)])
def test_withheld_record(print_dns, half_certified, options, status):
    output, errors = print_dns("--print-dns", *options, settings=half_certified, status=status)
    name = f"_mta-sts.{BUCHER}.sts.provider.example."
    lines = lines_of(output)
    withheld = [line for line in lines if "withheld" in line]
    assert len(withheld) == 1
    assert withheld[0].startswith(f'; withheld: {name} 300 IN TXT "{STS}": no certificate for '
                                  f"mta-sts.{BUCHER} that senders accept: ")
    assert [line for line in lines if line not in withheld] == \
        [line for line in as_zone(RECORDS) if not line.startswith(name)]
    assert errors == ("mta-stsd: 1 _mta-sts record is withheld until its policy can be fetched; "
                      "the reason is beside each\n")


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


@pytest.mark.parametrize("fault, code", [("expired", "certificate-expired"),
                                         ("self-signed", "certificate-self-signed")])
def test_certificate_that_no_sender_accepts(print_dns, pki, tmp_path, fault, code):
    """The first id waits for a better one, unless its domain allows the fault."""
    chain, key = pki.issue(tmp_path, "mta-sts.example.com", days=-1)
    if fault == "self-signed":
        openssl("req", "-x509", "-newkey", "rsa:2048", "-noenc", "-subj", "/CN=mta-sts.example.com",
                "-addext", "subjectAltName=DNS:mta-sts.example.com", "-keyout", key, "-out", chain)
    settings = {**SETTINGS, "certificates": [{"chain": str(chain), "key": str(key)}],
                "domains": {"example.com": {"mx": ["mx.example.com"]}}}
    output, _ = print_dns("--print-dns", settings=settings)
    assert "; withheld: _mta-sts.example.com. " in output
    settings["domains"]["example.com"]["allow"] = [code]
    output, errors = print_dns("--print-dns", settings=settings)
    assert (output.count("withheld"), errors) == (0, "")


@pytest.mark.parametrize("issuer", ["ca", "intermediate"])
def test_certificate_of_a_root_that_senders_do_not_trust(print_dns, pki, tmp_path, monkeypatch,
                                                         issuer):
    """A private authority: senders refuse the policy host, whoever else may trust it."""
    chain, key = pki.issue(tmp_path, "mta-sts.example.com", issuer=issuer)
    settings = {**SETTINGS, "certificates": [{"chain": str(chain), "key": str(key)}],
                "domains": {"example.com": {"mx": ["mx.example.com"]}}}
    output, _ = print_dns("--print-dns", settings=settings)
    assert "withheld" not in output
    Pki(tmp_path / "elsewhere")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "elsewhere/ca.pem"))
    output, errors = print_dns("--print-dns", settings=settings)
    assert "; withheld: _mta-sts.example.com. " in output
    assert ": its chain leads to no root that this system trusts; " in output
    assert errors.startswith("mta-stsd: 1 _mta-sts record is withheld ")
    settings["domains"]["example.com"]["allow"] = ["certificate-untrusted"]
    output, errors = print_dns("--print-dns", settings=settings)
    assert (output.count("withheld"), errors) == (0, "")


@pytest.mark.parametrize("certificate", ["absent", "broken", "expired"])
def test_what_the_ledger_knows_is_never_withheld(print_dns, pki, tmp_path, certificate):
    chain, key = pki.issue(tmp_path, "mta-sts.example.com", days=-1)
    if certificate == "broken":
        chain.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    elif certificate == "absent":
        chain.unlink()
    settings = {**SETTINGS, "certificates": [{"chain": str(chain), "key": str(key)}],
                "domains": {"example.com": {"mx": ["mx.example.com"]}},
                "state": str(tmp_path / "state")}
    output, errors = print_dns("--print-dns", settings=settings)
    assert "withheld" in output and "withheld" in errors
    write_ledger(tmp_path / "state", "1764370000 fetchable example.com")
    output, errors = print_dns("--print-dns", settings=settings)
    assert "withheld" not in output + errors
    assert errors.startswith("mta-stsd: example.com: no certificate for mta-sts.example.com that "
                             "senders accept: ")
    assert errors.endswith("; its record is printed all the same, since its policy could be fetched "
                           "before\n")


def test_what_the_daemon_serves_is_never_withheld(operate, pki, tmp_path):
    """A5: the file is broken, and the daemon goes on with the certificate from before."""
    chain, key = pki.issue(tmp_path / "own", "mta-sts.example.com")
    daemon = operate({"user": "root", "listen": [{"address": "127.0.0.1:0"}], "admin": "off",
                      "certificates": [{"chain": str(chain), "key": str(key)}],
                      "control": str(tmp_path / "control.sock"), "policy_host": {"name": "p.example"},
                      "domains": {"example.com": {"mx": ["mx.example.com"]},
                                  "example.net": {"mx": ["mx.example.net"]}}})
    wait_until(lambda: b" fetchable" in ask_served(tmp_path / "control.sock"),
               "the first look at the certificate")
    chain.write_text("broken")
    wait_until(lambda: b"fetched before" in daemon.ask("--print-dns", "--domain",
                                                       "example.com").stderr, "the warning")
    output = daemon.ask("--print-dns").stdout.decode()
    assert "\n_mta-sts.example.com. " in output
    assert "\n; withheld: _mta-sts.example.net. " in output


def ask_served(path):
    """What the daemon answers on its control socket, up to the end."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"served\n")
        with client.makefile("rb") as answer:
            return answer.read()


def write_ledger(folder, *lines):
    folder.mkdir()
    (folder / "ledger").write_text("mta-stsd ledger 1\n" + "".join(f"{line}\n" for line in lines))


DAY = 86400
LEFT = "no policy is served here since "


@pytest.fixture(name="left")
def settings_with_domains_that_left(tmp_path):
    """gone.example left long ago, told.example too, soon.example yesterday, one came back."""
    now, week = int(time.time()), 7 * DAY
    served = [("gone.example", "gone.example - own", 30), ("told.example",
              "told.example sts.provider.example sts.provider.example", 9),
              ("soon.example", "soon.example - own", 1), ("example.com", "example.com - own", 30)]
    write_ledger(tmp_path / "state", *(
        line for name, zones, days in served for line in (
            f"{now - 99 * DAY} serves {name} {'ab' * 16} enforce {week} {zones} mx.example.com",
            f"{now - days * DAY} ends {name}")))
    return {**SETTINGS, "state": str(tmp_path / "state")}


def test_records_of_domains_that_left(print_dns, left):
    """Deleted once no sender holds the policy, with their values, so that nothing else goes."""
    def deletions(option, start):
        output, errors = print_dns(option, "--no-certificates", settings=left)
        assert "soon.example" not in output
        assert errors == "mta-stsd: 8 records of what has ended may be deleted; see the comments\n"
        return [line for line in lines_of(output.replace("update delete", "update-delete"))
                if line.startswith(start) and ("gone." in line or "told." in line)]

    value = f'"v=STSv1; id={"ab" * 16};"'
    assert deletions("--print-dns=nsupdate", "update-delete ") == [
        f"update-delete _mta-sts.gone.example. TXT {value}",
        "update-delete mta-sts.gone.example. CNAME policy.provider.example.",
        f"update-delete _mta-sts.told.example.sts.provider.example. TXT {value}",
        "update-delete _smtp._tls.told.example.sts.provider.example. TXT",
        "update-delete _mta-sts.told.example. CNAME "
        "_mta-sts.told.example.sts.provider.example.",
        "update-delete mta-sts.told.example. CNAME policy.provider.example.",
        "update-delete _smtp._tls.told.example. CNAME "
        "_smtp._tls.told.example.sts.provider.example."]
    assert deletions("--print-dns=nsupdate", "; if it is yours") == [
        "; if it is yours: update-delete _smtp._tls.gone.example. TXT"]
    assert len(deletions("--print-dns", "; delete: ")) == 7
    own, = deletions("--print-dns", "; delete, if it is yours: ")
    assert own.startswith("; delete, if it is yours: _smtp._tls.gone.example. ")
    assert len(deletions("--print-dns=octodns", "# deleted, as no source has it: ")) == 8
    assert len(deletions("--print-dns=dnscontrol", "// deleted, as it is not here: ")) == 8
    assert all(LEFT in line for line in deletions("--print-dns=panel", ("_", "mta-sts ")))


def test_domain_that_left(print_dns, left):
    """Named alone: its deletions, or until when it is too early for them."""
    output, errors = print_dns("--print-dns=json", "--no-certificates", "--domain", "Gone.Example",
                               "--domain", "gone.example.", settings=left)
    assert [(record["name"], record["delete"]) for record in json.loads(output)] == [
        (f"{label}.gone.example", True) for label in ("_mta-sts", "mta-sts", "_smtp._tls")]
    output, _ = print_dns("--print-dns=panel", "--no-certificates", "--domain", "gone.example",
                          settings=left)
    assert output.count("(delete this record: ") == 2
    assert output.count("(delete this record, if it is yours: ") == 1
    output, errors = print_dns("--print-dns", "--no-certificates", "--domain", "soon.example",
                               settings=left)
    assert output == ""
    assert errors.startswith("mta-stsd: soon.example: senders may hold its policy until ")
    assert errors.endswith("; its records must stay until then\n") and errors.count("\n") == 1
    _, errors = print_dns("--print-dns", "--domain", "none.example", settings=left, status=2)
    assert "none.example" in errors


def test_domain_that_leaves_with_the_next_reload(print_dns, tmp_path):
    write_ledger(tmp_path / "state", f"1 serves goes.example {'ab' * 16} none 86400 goes.example - - -")
    output, errors = print_dns("--print-dns", "--domain", "goes.example",
                               settings={**SETTINGS, "state": str(tmp_path / "state")})
    assert (output, errors) == ("", "mta-stsd: goes.example: its policy ends with the next --reload; "
                                    "its records must stay at least until then\n")


@pytest.mark.parametrize("days, keys, zones", [
    (30, {}, ["old.example", "sts.provider.example"]), (3, {}, ["old.example"]),
    (30, {"delegated": ["mta-sts"]}, ["old.example"])])
def test_records_of_a_delegation_that_ended(print_dns, tmp_path, days, keys, zones):
    """Once no sender holds a policy of that time, and never where the domain is delegated now."""
    now, week = int(time.time()), 7 * DAY
    write_ledger(tmp_path / "state", *(
        f"{now - ago * DAY} serves example.com {digits * 16} enforce {week} example.com {zone} {zone} -"
        for ago, digits, zone in ((99, "ab", "old.example"), (60, "bc", "sts.provider.example"),
                                  (50, "cd", "sts.provider.example"), (days, "de", "-"))))
    settings = {**SETTINGS, "state": str(tmp_path / "state"), "domains": {
        "example.com": {**SETTINGS["domains"]["example.com"], **keys}}}
    ids = {"old.example": "ab" * 16, "sts.provider.example": "cd" * 16}
    output, errors = print_dns("--print-dns=json", "--no-certificates", settings=settings)
    deleted = [record for record in json.loads(output) if record["delete"]]
    assert [(record["name"], record["value"]) for record in deleted] == [row for zone in zones for row in (
        (f"_mta-sts.example.com.{zone}", f"v=STSv1; id={ids[zone]};"),
        (f"_smtp._tls.example.com.{zone}", None))]
    assert all(record["withheld"].startswith("the domain is not delegated to this zone since ")
               for record in deleted)
    assert f" {2 * len(zones)} records of what has ended may be deleted" in errors


def test_deletions_in_json_are_withheld_too(print_dns, left):
    output, _ = print_dns("--print-dns=json", "--no-certificates", settings=left)
    deleted = [record for record in json.loads(output) if record["delete"]]
    assert len(deleted) == 8
    assert all(record["withheld"].startswith(LEFT) for record in deleted)
    assert sum(record["value"] is None for record in deleted) == 2


@pytest.mark.parametrize("name", ["octodns", "terraform-route53", "powerdns"])
def test_stale_files(print_dns, tmp_path, left, name):
    """The file of a domain that may go is emptied, that of one that may not is named."""
    folder, suffix = tmp_path / "zones", SUFFIXES[name]
    folder.mkdir()
    for zone in ("gone.example", "soon.example", "not..a..domain"):
        (folder / f"{zone}{suffix}").write_text("# from before\n")
    _, errors = print_dns(f"--print-dns={name}", "--no-certificates", "--output", folder,
                          settings=left)
    assert [line for line in errors.splitlines() if "earlier run" in line] == [
        f"mta-stsd: '{folder}/soon.example{suffix}' is from an earlier run, and no domain is in its "
        "zone now; remove the file when --withdraw DOMAIN says that the records may go"]
    emptied = (folder / f"gone.example{suffix}").read_text()
    assert "from before" not in emptied and "v=STSv1" not in emptied
    assert (folder / f"soon.example{suffix}").read_text() == "# from before\n"


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
                      "the reason is beside each\n")


def test_no_listener_with_tls_withholds_nothing(print_dns, tmp_path):
    listen = [{"address": f"unix:{tmp_path}/http.sock", "tls": False}]
    output, errors = print_dns("--print-dns", settings={**SETTINGS, "listen": listen})
    assert (lines_of(output), errors) == (as_zone(RECORDS), "")
