# SPDX-License-Identifier: MIT
"""--parse-policy, --parse-record and --match-mx with what people paste: taken, or named."""

import json
import re

import pytest

from daemon import run

STS = "v=STSv1; id=1"
NAME = "_mta-sts.example.com."


@pytest.mark.parametrize("text", [
    STS, f'"{STS}"\n', '"v=STSv1" "; id=1"\n', f'{NAME} 300 IN TXT "{STS}"\n',
    f'{NAME}\t300\tIN\tTXT\t"v=STSv1\\; id=1"\n', f'policy.example.net.\n"{STS}"\n',
    f'{NAME}\ttext = "{STS}"\n', f'{NAME[:-1]} descriptive text "{STS}"\n',
    f'_mta-sts IN TXT ( "v=STSv1; "\n  "id=1" )\n', f'"v=spf1 -all"\n"{STS}"\n',
])
def test_record_that_is_taken(text):
    process = run("--parse-record", stdin=text.encode())
    assert (process.returncode, process.stdout) == (0, b"valid\nid: 1\n")


@pytest.mark.parametrize("options, text, reason", [
    ([], "v=STSv1\\; id=1", "'\\;' is how zone files and octoDNS write a ';'"),
    ([], f"“{STS}”", "a typographic quote"),
    ([], "v=STSv1;\u00a0id=1", "a no-break space"),
    ([], f'"{STS}', "a quote (\") that is not closed"),
    ([], "v=STSv1; ID=1", "has no field 'id'; write 'ID' as 'id'"),
    ([], f'"{STS}"\n"v=STSv1; id=2"\n', "2 of 2 TXT records begin with 'v=STSv1;', not one"),
    ([], "v=STSv1;\nid=1\n", "has no field 'id'; 2 lines were read as a record each"),
    ([], "; <<>> DiG 9.18 <<>>\n", "has no TXT record in it"),
    ([], "v=TLSRPTv1; rua=mailto:a@b.example", "the record of _smtp._tls, for TLS reports; "
                                               "add --tls-rpt"),
    ([], "v=spf1 -all", "this is an SPF record"),
    (["--tls-rpt"], STS, "the record of _mta-sts; leave out --tls-rpt"),
    (["--tls-rpt"], "v=TLSRPTv1; rua= mailto:a@b.example", "begins with a space; remove it"),
    (["--tls-rpt"], "v=TLSRPTv1; ruf=mailto:a@b.example", "write 'ruf' as 'rua'"),
    (["--tls-rpt"], "v=TLSRPTv1; RUA=mailto:a@b.example", "write 'RUA' as 'rua'"),
    (["--tls-rpt"], "v=TLSRPTv1; rua=mailto:a@b.example; rua=b@example.com",
     "rua 'b@example.com' is an e-mail address; write mailto: before it"),
    (["--tls-rpt"], "v=TLSRPTv1; rua=mailto:x@example.com.", "ends in a dot"),
    (["--tls-rpt"], "v=TLSRPTv1; rua=mailto:a@b@example.com", "has two '@'"),
    (["--tls-rpt"], "v=TLSRPTv1; rua=mailto:a@b.example!10m", "ends in a size limit"),
])
def test_record_that_is_named(options, text, reason):
    process = run("--parse-record", *options, stdin=text.encode())
    assert (process.returncode, process.stderr) == (1, b"")
    assert process.stdout.startswith(b"invalid: ") and reason in process.stdout.decode()
    process = run("--parse-record", "--json", *options, stdin=text.encode())
    assert reason in json.loads(process.stdout)["reason"]


def test_record_in_utf_16():
    process = run("--parse-record", stdin=STS.encode("utf-16"))
    assert (process.returncode, process.stdout) == (1, b"invalid: is UTF-16; save it as UTF-8 or "
                                                       b"plain ASCII\n")


def test_all_rua_fields_count():
    text = b"v=TLSRPTv1; rua=mailto:a@example.com; rua=mailto:b@example.com,mailto:c@example.com"
    process = run("--parse-record", "--tls-rpt", stdin=text)
    assert process.returncode == 0
    assert process.stdout.decode().splitlines()[1:] == [
        f"rua: mailto:{name}@example.com" for name in "abc"]


@pytest.mark.parametrize("options, text, code, message", [
    ([], "v=STSv1 ;id=1", None, "there is a space before the first ';'"),
    (["--tls-rpt"], "v=TLSRPTv1; rua=mailto:a@example", "rua-doubtful", "without a dot"),
    (["--tls-rpt"], "v=TLSRPTv1; rua=mailto://a@example.com", "rua-doubtful", "has '//'"),
    (["--tls-rpt"], "v=TLSRPTv1; rua=mailto:a@192.0.2.1", "rua-doubtful", "has an address"),
])
def test_record_with_a_warning(options, text, code, message):
    process = run("--parse-record", *options, stdin=text.encode())
    assert (process.returncode, process.stderr) == (0, b"")
    line = process.stdout.decode().splitlines()[-1]
    assert line.startswith("warning: ") and message in line
    assert line.endswith(f"[{code}]") == bool(code)
    process = run("--parse-record", "--json", *options, stdin=text.encode())
    [warning] = json.loads(process.stdout)["warnings"]
    assert warning.get("code") == code and message in warning["message"]


def policy(*mx, mode="testing", max_age=604800, more=""):
    return "".join(["version: STSv1\n", f"mode: {mode}\n", *(f"mx: {name}\n" for name in mx),
                    f"max_age: {max_age}\n", more])


@pytest.mark.parametrize("text, codes", [
    (policy("mail.example.com"), []),
    (policy("*.mx.microsoft"), ["mx-never-matches"]),
    (policy("mail.protection.outlook.com"), ["mx-never-matches"]),
    (policy("*.protection.outlook.com"), ["mx-never-matches"]),
    (policy("mta-sts.example.com"), ["mx-is-policy-host"]),
    (policy("*.com"), ["mx-public-suffix"]),
    (policy("*.aspmx.l.google.com"), ["mx-incomplete"]),
    (policy("*.google.com"), ["mx-incomplete"]),
    (policy("smtp.zoho.com"), ["mx-unlikely"]),
    (policy("autodiscover.example.com", "autoconfig.example.com"), ["mx-unlikely"] * 2),
    (policy("a.example", "A.example"), ["mx-duplicate"]),
    (policy("a.example", max_age=0), ["max-age-short"]),
    (policy("a.example", max_age=1), ["max-age-short"]),
    (policy(mode="none"), ["none-without-mx"]),
    (policy("a.example", mode="enforce"), ["max-age-below-two-weeks"]),
    (policy("a.example", more="nmx: b.example\n"), [None]),
])
def test_policy_with_warnings(text, codes):
    process = run("--parse-policy", "--json", stdin=text.encode())
    verdict = json.loads(process.stdout)
    assert process.returncode == 0 and verdict["valid"]
    assert [warning.get("code") for warning in verdict.get("warnings", [])] == codes
    lines = run("--parse-policy", stdin=text.encode()).stdout.decode().splitlines()
    for line, code in zip(reversed(lines), reversed(codes)):
        assert re.match("(warning|note): ", line) and line.endswith(f"[{code}]") == bool(code)


@pytest.mark.parametrize("text, reason", [
    (policy().replace("max_age", "nmx: mail.example.com\nmax_age"),
     "line 3, column 1: field name 'nmx' is not 'mx', which is missing"),
    (policy().replace("max_age", "MX: mail.example.com\nmax_age"),
     "field name 'MX' is not 'mx', which is missing"),
    (policy("a.example").replace("\n", " "), "all fields are on one line"),
    (policy("a.example").replace("\n", "\r"), "the lines end in CR alone"),
    (policy("a.example").replace("testing", "“testing”"), "it has a typographic quote in it"),
    (policy("a.example\u00a0"), "a typographic quote, dash or space"),
    ("<!DOCTYPE html>\n<html>\n", "this is a web page"),
    ("HTTP/1.1 200 OK\r\n\r\n" + policy("a.example"), "the head of an HTTP answer"),
    (STS, "this is the TXT record of _mta-sts"),
    (policy("{{ mx }}"), "is a placeholder"),
])
def test_policy_that_is_named(text, reason):
    process = run("--parse-policy", stdin=text.encode())
    assert process.returncode == 1
    assert process.stdout.startswith(b"invalid: ") and reason in process.stdout.decode()


def test_policy_in_utf_16():
    process = run("--parse-policy", stdin=policy("a.example").encode("utf-16"))
    assert process.stdout == b"invalid: the policy is UTF-16; save it as UTF-8 or plain ASCII\n"


def match_mx(host):
    return run("-c", "-", "--match-mx", "bücher.example", host,
               stdin="domains: {bücher.example: {mx: [mail.bücher.example]}}".encode())


@pytest.mark.parametrize("host, status", [
    ("mail.bücher.example", 0), ("MAIL.BÜCHER.example.", 0), ("mail.xn--bcher-kva.example", 0),
    ("mx.bücher.example", 1)])
def test_host_is_a_name(host, status):
    process = match_mx(host)
    assert (process.returncode, process.stderr) == (status, b"")
    assert process.stdout.decode().startswith(f"{host} is ")


@pytest.mark.parametrize("host, reason", [
    ("10 mail.example.com.", "begins with the priority of an MX record"),
    ("mail.example.com:25", "has a colon"),
    ("", "is empty"), (".", "begins with a dot"), ("192.0.2.1", "is an address"),
    ("2001:db8::1", "is an address"), ("[192.0.2.1]", "is in brackets"),
    ("a@example.com", "is an e-mail address"), ("${MX_HOST}", "is a placeholder"),
])
def test_host_that_is_none(host, reason):
    process = match_mx(host)
    assert (process.returncode, process.stdout) == (2, b"")
    assert process.stderr.decode().startswith(f"mta-stsd: HOST: '{host}' is no host name: it ")
    assert reason in process.stderr.decode()
