# SPDX-License-Identifier: MIT
"""--test-config: what is wrong, where, how grave, as text and as JSON; its exit statuses."""

import json
import re

import pytest

from daemon import configuration, run, write_configuration
from pki import Pki, openssl

CLEAN = """\
policy_host: {name: policy.provider.example}
domains: {example.com: {mx: [mx.example.com]}}
"""
WARNING = CLEAN + "policies: {p: {mx: [mx.example.com], max_age: 1h}}\n"
NOTE = CLEAN + "policies: {p: {mx: [mx.example.com]}}\n"
ERRORS = """\
listen: [{address: nowhere}]
domains:
  example.com: {mx: [mx.example.com], mode: enforced, max_age: 2y}
  example.com: {mx: [mta-sts.example.com]}
  example.org: absent
"""


@pytest.fixture(name="test_config")
def run_test_config(tmp_path):
    def test_config(text, *options):
        return run("-c", write_configuration(tmp_path / "a.yaml", text), "-t", *options)
    return test_config


@pytest.mark.parametrize("text, status, strict_status, counts", [
    (CLEAN, 0, 0, "1 domain, 0 errors, 0 warnings, 0 notes"),
    (NOTE, 0, 0, "1 domain, 0 errors, 0 warnings, 1 note"),
    (WARNING, 0, 1, "1 domain, 0 errors, 1 warning, 1 note"),
    ("", 2, 2, "0 domains, 1 error, 0 warnings, 0 notes"),
    (CLEAN.replace("[", "[_, "), 2, 2, "1 domain, 1 error, 0 warnings, 0 notes"),
])
def test_status_and_summary(test_config, text, status, strict_status, counts):
    for options, wanted in (([], status), (["--strict"], strict_status)):
        process = test_config(text, "--no-certificates", *options)
        assert (process.returncode, process.stderr) == (wanted, b"")
        assert f"a.yaml: {counts}" in process.stdout.decode().splitlines()[-1]


def test_every_error_in_one_run_sorted_by_place(test_config):
    process = test_config(ERRORS)
    assert process.returncode == 2
    *findings, summary = process.stdout.decode().splitlines()
    rows = [re.fullmatch(r"\S*a\.yaml:(\d+):\d+: (\w+): \S+: .+ \[([a-z-]+)\]", line).groups()
            for line in findings]
    assert [(int(line), code) for line, level, code in rows if level == "error"] == [
        (1, "bad-value"), (3, "bad-value"), (3, "bad-value"), (4, "duplicate-domain"),
        (4, "mx-is-policy-host"), (5, "unknown-policy")]
    assert re.search(r"a\.yaml: 3 domains, 6 errors, \d+ warnings, \d+ notes$", summary)


@pytest.mark.parametrize("text, status", [
    (CLEAN, 0), (WARNING, 0), (ERRORS, 2), ("domains: {example.com: {mx: [mx.example.com]}}", 0)])
def test_json_says_what_the_text_says(test_config, text, status):
    as_text, as_json = (test_config(text, "--no-certificates", *options)
                        for options in ([], ["--json"]))
    assert as_text.returncode == as_json.returncode == status
    *lines, summary = as_text.stdout.decode().splitlines()
    report = json.loads(as_json.stdout)
    counts = re.search(r" (\d+) errors?, (\d+) warnings?, (\d+) notes?$", summary).groups()
    assert counts == tuple(str(report[name]) for name in ("errors", "warnings", "notes"))
    assert lines == [text_of(finding) for finding in report["findings"]]
    assert all(finding["meaning"] for finding in report["findings"])


def text_of(finding):
    place = f":{finding['line']}:{finding['column']}" if finding["line"] else ""
    return f"{finding['file']}{place}: {finding['level']}: {finding['path']}: " \
        f"{finding['message']} [{finding['code']}]"


@pytest.mark.parametrize("names, days, code", [
    ([], 90, "certificate-name"),
    (["mta-sts.example.org"], 90, "certificate-name"),
    (["mta-sts.example.com"], -1, "certificate-expired"),
    (["mta-sts.example.com"], 90, None),
    (None, 90, "certificate-missing"),
])
def test_certificates(test_config, pki, tmp_path, names, days, code):
    chain, key = tmp_path / "absent.pem", tmp_path / "absent.key"
    if names is not None:
        chain, key = pki.issue(tmp_path, *names, days=days)
    settings = configuration(pki, {"example.com": {"mx": ["mx.example.com"]}},
                             certificates=[{"chain": str(chain), "key": str(key)}])
    report = json.loads(test_config(settings, "--json").stdout)
    warnings = [finding["code"] for finding in report["findings"] if finding["level"] == "warning"]
    assert warnings == ([code] if code else [])
    assert test_config(settings, "--strict").returncode == (1 if code else 0)
    assert test_config(settings, "--strict", "--no-certificates").returncode == 0


@pytest.mark.parametrize("n_hosts, n_with, lines", [(3, 0, 3), (4, 0, 1), (4, 1, 3), (300, 0, 1)])
def test_missing_certificates(test_config, pki, tmp_path, n_hosts, n_with, lines):
    """Of some, each is named; where all are missing, the path is wrong."""
    for i in range(n_with):
        pki.issue(tmp_path / f"mta-sts.c{i}.example", f"mta-sts.c{i}.example")
    settings = configuration(
        pki, {f"c{i}.example": {"mx": ["mx.example.com"]} for i in range(n_hosts)}, certificates=[
            {"chain": f"{tmp_path}/{{host}}/chain.pem", "key": f"{tmp_path}/{{host}}/key.pem"}])
    found = [line for line in test_config(settings).stdout.decode().splitlines()
             if "[certificate-missing]" in line]
    assert len(found) == lines
    assert (f" and {n_hosts - 1} more policy hosts: {tmp_path}/mta-sts.c0.example/chain.pem: cannot be "
            "read: No such file or directory; correct the path in 'certificates:', or " in found[0]) == \
        (n_hosts > 3 and n_with == 0)


@pytest.mark.parametrize("n_trusted, lines", [(0, 1), (1, 4)])
def test_untrusted_certificates(test_config, pki, tmp_path, monkeypatch, n_trusted, lines):
    """Of some, each is named; where all are untrusted, their authority is the cause."""
    names = [f"c{i}.example" for i in range(4 + n_trusted)]
    for name in names[:4]:
        pki.issue(tmp_path / f"mta-sts.{name}", f"mta-sts.{name}")
    stranger = Pki(tmp_path / "stranger", *(f"mta-sts.{name}" for name in names[4:]))
    settings = configuration(pki, {name: {"mx": ["mx.example.com"]} for name in names}, certificates=[
        {"chain": f"{tmp_path}/{{host}}/chain.pem", "key": f"{tmp_path}/{{host}}/key.pem"},
        stranger.source])
    monkeypatch.setenv("SSL_CERT_FILE", str(stranger.ca))
    found = [line for line in test_config(settings).stdout.decode().splitlines()
             if "[certificate-untrusted]" in line]
    assert len(found) == lines
    assert (f"mta-sts.c0.example and 3 more policy hosts: {tmp_path}/mta-sts.c0.example/chain.pem: its "
            "chain leads to no root that this system trusts" in found[0]) == (n_trusted == 0)


def test_certificate_of_the_cname_target(test_config, pki, tmp_path):
    """Senders never ask for it, so that it may be absent; a broken one is somebody's fault."""
    pki.issue(tmp_path / "mta-sts.example.com", "mta-sts.example.com")
    settings = configuration(pki, {"example.com": {"mx": ["mx.example.com"]}},
                             policy_host={"name": "policy.provider.example"}, certificates=[
        {"chain": f"{tmp_path}/{{host}}/chain.pem", "key": f"{tmp_path}/{{host}}/key.pem"}])
    assert test_config(settings, "--strict").returncode == 0
    pki.issue(tmp_path / "policy.provider.example", "policy.provider.example", days=-1)
    process = test_config(settings, "--strict")
    assert process.returncode == 1
    assert b"policy.provider.example/chain.pem: expired on" in process.stdout


def test_self_signed_certificate(test_config, pki, tmp_path):
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
            "-keyout", key, "-out", chain, "-days", 90, "-subj", "/CN=it",
            "-addext", "subjectAltName=DNS:mta-sts.example.com")
    settings = configuration(pki, {"example.com": {"mx": ["mx.example.com"]}},
                             certificates=[{"chain": str(chain), "key": str(key)}])
    report = json.loads(test_config(settings, "--json").stdout)
    warnings = [finding for finding in report["findings"] if finding["level"] == "warning"]
    assert [finding["code"] for finding in warnings] == ["certificate-self-signed"]
    assert "no sender trusts" in warnings[0]["message"]


def test_certificate_folder_that_cannot_be_listed(test_config, pki, tmp_path):
    (tmp_path / "file").touch()
    settings = configuration(pki, {f"{name}.example": {"mx": ["mx.example.com"]} for name in "abc"},
                             certificates=[{"chain": f"{tmp_path}/file/{{host}}.pem"}])
    report = json.loads(test_config(settings, "--json").stdout)
    warnings = [finding for finding in report["findings"] if finding["level"] == "warning"]
    assert [finding["code"] for finding in warnings] == ["certificate-unreadable"]
    assert f"'{tmp_path}/file' cannot be listed: Not a directory" in warnings[0]["message"]


def test_relative_paths_begin_at_their_file(pki, tmp_path):
    """The working directory is another one; included files are found beside the main file too."""
    pki.issue(tmp_path, "mta-sts.example.com", days=90)
    names = sorted(path.name for path in tmp_path.iterdir())
    chain = next(name for name in names if "key" not in name)
    key = next(name for name in names if "key" in name)
    (tmp_path / "d").mkdir()
    write_configuration(tmp_path / "d" / "a.yaml", f"""\
policy_host: {{name: policy.provider.example}}
certificates: [{{chain: "../{chain}", key: "../{key}"}}]
domains: {{example.com: {{mx: [mx.example.com]}}}}
""")
    report = json.loads(run("-c", tmp_path / "d" / "a.yaml", "-t", "--json").stdout)
    codes = {finding["code"] for finding in report["findings"]}
    assert not codes & {"certificate-missing", "certificate-unreadable", "certificate-name"}


def test_allowed_findings_are_not_shown(test_config):
    text = CLEAN.replace("[mx.example.com]", "[mx.example.com], max_age: 1h")
    assert test_config(text, "--strict", "--no-certificates").returncode == 1
    text = text.replace("max_age: 1h", "max_age: 1h, allow: [max-age-short]")
    assert test_config(text, "--strict", "--no-certificates").returncode == 0


def test_included_files_are_named(test_config, tmp_path):
    (tmp_path / "d").mkdir()
    write_configuration(tmp_path / "d" / "b.yaml", "domains:\n  example.org: {mx: [mx..example]}\n")
    process = test_config(CLEAN + 'include: ["d/*.yaml"]\n', "--no-certificates")
    assert process.returncode == 2
    assert re.match(r"\S*/d/b\.yaml:2:\d+: error: domains\.example\.org\.mx",
                    process.stdout.decode())


def test_standard_input():
    process = run("-c", "-", "-t", "--no-certificates", stdin=b"domains: {example.com: absent}")
    assert process.returncode == 2
    assert process.stdout.startswith(b"<stdin>:1:24: error: domains.example.com: ")
