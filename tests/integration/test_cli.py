# SPDX-License-Identifier: MIT
"""The command line: its help, its usage errors, where it reads and where it cannot write."""

import re

import pytest

from client import fetch, tls_context
from daemon import ROOT, configuration, run

SMALL = b"domains: {example.com: {mx: [mx.example.com]}}\npolicy_host: {addresses: [192.0.2.1]}\n" \
    b"user: root\n"
TLS_RPT_ONLY = b"domains: {example.com: {mta_sts: false, tls_rpt: ['mailto:a@example.com']}}\n"


def rows_of_modes_c():
    """The names of all modes and options, from the tables of the program."""
    source = (ROOT / "src/cli/modes.c").read_text()
    modes = re.findall(r'^\s*\{?\.name = "([a-z-]+)"', source, re.MULTILINE)
    options = re.findall(r'^\s*\[OPTION_\w+\] =\s*\{"([a-z-]+)"', source, re.MULTILINE)
    assert len(modes) >= 9 and len(options) >= 8
    return modes + options


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_every_mode_and_option(option):
    process = run(option)
    assert (process.returncode, process.stderr) == (0, b"")
    listed = re.findall(r"^ +(?:-\w, )?--([a-z-]+)", process.stdout.decode(), re.MULTILINE)
    assert listed == rows_of_modes_c()


def test_help_says_which_options_a_mode_takes():
    source = (ROOT / "src/cli/modes.c").read_text()
    rows = re.findall(r'\.name = "([a-z-]*)"(.*?)\.run', source, re.DOTALL)
    wanted = {name: [option.lower().replace("_", "-")
                     for option in re.findall(r"TAKES\((\w+)\)", row)] for name, row in rows}
    assert len(wanted) >= 12 and wanted["reload"] == ["config", "force", "dry-run"]
    listed = re.findall(r"^ +(?:-\w, )?(?:--([a-z-]+)|\(none\)).*(?:\n +with (.*))?",
                        run("--help").stdout.decode().split("\nOptions:")[0], re.MULTILINE)
    assert {name: re.findall(r"--([a-z-]+)", options) for name, options in listed} == wanted


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(option):
    version = re.search(r"\nproject\(mta-stsd VERSION ([\d.]+)",
                        (ROOT / "CMakeLists.txt").read_text())[1]
    process = run(option)
    assert (process.returncode, process.stdout) == (0, f"mta-stsd {version}\n".encode())


@pytest.mark.parametrize("arguments, message", [
    (["--jsn"], "--jsn is not an option; did you mean --json?"),
    (["--tset-config"], "--tset-config is not an option; did you mean --test-config?"),
    (["--wholly-different"], "--wholly-different is not an option; see --help"),
    (["--print-polciy=a"], "--print-polciy=a is not an option; did you mean --print-policy?"),
    (["-x"], "-x is not an option; see --help"),
    (["-xt"], "-x is not an option; see --help"),
    (["--config"], "--config needs a value; see --help"),
    (["-t", "-c"], "-c needs a value; see --help"),
    (["--test-config", "--print-dns"], "--test-config and --print-dns do not go together"),
    (["--json"], "--json does not go with serving; give a command, see --help"),
    (["--print-dns", "--json"], "--json does not go with --print-dns; did you mean "
                                "--print-dns=json?"),
    (["-t", "minimal.yaml"], "'minimal.yaml' is one argument too many; did you mean "
                             "--config minimal.yaml?"),
    (["examples/minimal.yaml"], "'examples/minimal.yaml' is one argument too many; did you mean "
                                "--config examples/minimal.yaml?"),
    (["--parse-policy", "-c", "a"], "--config does not go with --parse-policy"),
    (["--test-config", "--tls-rpt"], "--tls-rpt does not go with --test-config"),
    (["--print-policy"], "--print-policy needs DOMAIN"),
    (["--match-mx", "example.com"], "--match-mx needs DOMAIN HOST"),
    (["--print-id", "a", "b"], "'b' is one argument too many; see --help"),
    (["serve"], "'serve' is one argument too many; see --help"),
    (["test-config"], "'test-config' is one argument too many; did you mean --test-config?"),
    (["--print-dns", "zone"], "'zone' is one argument too many; did you mean --print-dns=zone?"),
    (["--print-dns=bind"], "--print-dns: 'bind' is not a format; the formats are zone, panel, "
                           "nsupdate, json, octodns, dnscontrol, terraform-route53, "
                           "terraform-cloudflare, powerdns"),
    (["--print-dns", "--side=both"], "--side: 'both' is neither customer nor provider"),
])
def test_usage_errors(arguments, message):
    process = run(*arguments)
    assert (process.returncode, process.stdout) == (2, b"")
    assert process.stderr.decode() == f"mta-stsd: {message}\n"


@pytest.mark.parametrize("mode", ["--print-policy", "--print-id", "--match-mx"])
@pytest.mark.parametrize("name, message", [
    ("example.org", "'example.org' is not a domain of the configuration"),
    ("exampel.com", "'exampel.com' is not a domain of the configuration; did you mean "
                    "'example.com'?"),
    ("mta-sts.example.com", "'mta-sts.example.com' is the name of a record; give the domain, "
                            "'example.com'"),
    ("_smtp._tls.example.com", "'_smtp._tls.example.com' is the name of a record; give the domain, "
                               "'example.com'"),
    ("exa_mple.com", "'exa_mple.com' has '_' in it"),
    ("", "'' "),
])
def test_unknown_domain(mode, name, message):
    arguments = [name, "mx.example.com"] if mode == "--match-mx" else [name]
    process = run("-c", "-", mode, *arguments, stdin=SMALL)
    assert (process.returncode, process.stdout) == (2, b"")
    assert process.stderr.decode().startswith(f"mta-stsd: {message}")


@pytest.mark.parametrize("mode", ["--print-policy", "--print-id", "--match-mx"])
def test_domain_without_policy(mode):
    arguments = ["mx.example.com"] if mode == "--match-mx" else []
    process = run("-c", "-", mode, "example.com", *arguments, stdin=TLS_RPT_ONLY)
    assert (process.returncode, process.stdout) == (2, b"")
    assert process.stderr == b"mta-stsd: 'example.com' has no policy: its mta_sts is false\n"


@pytest.mark.parametrize("spelling", [
    "bücher.example", "BÜCHER.example.", "xn--bcher-kva.example"])
def test_spellings_of_a_domain(spelling):
    process = run("-c", "-", "--print-policy", spelling,
                  stdin="domains: {bücher.example: {mx: [mx.bücher.example]}}".encode())
    assert process.returncode == 0
    assert b"\r\nmx: mx.xn--bcher-kva.example\r\n" in process.stdout


def test_print_what_is_served(serve, pki):
    """The bytes and the id on standard output are those of the wire."""
    daemon = serve(configuration(pki, {
        "example.com": {"mx": ["mx.example.com"], "id_salt": "2"},
        "example.org": {"mx": ["*.example.org", "mx.example.org"], "mode": "enforce"}}))
    for domain in ("example.com", "example.org"):
        answer = fetch(daemon.address, f"mta-sts.{domain}", tls_context(pki))
        body, name = (run("-c", daemon.config_path, mode, domain).stdout
                      for mode in ("--print-policy", "--print-id"))
        assert body == answer.body
        assert name.decode() == answer.header("etag").strip('"') + "\n"


EXAMPLES = sorted((ROOT / "config").glob("*.yaml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_examples_load_without_a_warning(example):
    process = run("-c", example, "--test-config", "--strict", "--no-certificates")
    notes = 1 if example.name == "minimal.yaml" else 0  # policy-host-unset
    assert (process.returncode, process.stderr) == (0, b"")
    assert f" 0 errors, 0 warnings, {notes} note{'s' * (notes != 1)}\n" in process.stdout.decode()
    assert run("-c", example, "--print-dns", "--no-certificates").returncode == 0


@pytest.mark.parametrize("arguments", [
    ["--help"], ["--version"], ["--print-schema"], ["--test-config"], ["--test-config", "--json"],
    ["--print-dns", "--no-certificates"], ["--print-dns=json", "--no-certificates"],
    ["--print-policy", "example.com"], ["--print-id", "example.com"],
    ["--match-mx", "example.com", "mx.example.com"],
    ["--match-mx", "example.com", "mx.example.org"],
], ids=" ".join)
def test_full_disk(tmp_path, arguments):
    path = tmp_path / "small.yaml"
    path.write_bytes(SMALL)
    takes_config = arguments[0] not in ("--help", "--version", "--print-schema")
    with open("/dev/full", "wb") as full:
        process = run(*(["-c", path] if takes_config else []), *arguments, stdout=full,
                      stderr=None, capture_output=False)
    assert process.returncode == 3


@pytest.mark.parametrize("mode", ["--parse-policy", "--parse-record"])
def test_full_disk_while_parsing(mode):
    with open("/dev/full", "wb") as full:
        assert run(mode, stdin=b"invalid", stdout=full, capture_output=False).returncode == 3


@pytest.mark.parametrize("arguments, status", [
    (["--test-config"], 2), (["--print-dns"], 2), (["--print-policy", "example.com"], 2), ([], 2)])
@pytest.mark.parametrize("path", ["absent.yaml", "."])
def test_configuration_that_cannot_be_read(tmp_path, path, arguments, status):
    process = run("-c", tmp_path / path, *arguments)
    assert process.returncode == status
    assert b"error: the file cannot be read: " in process.stdout + process.stderr


@pytest.mark.parametrize("mode", ["--parse-policy", "--parse-record"])
def test_file_that_cannot_be_read(tmp_path, mode):
    process = run(mode, tmp_path / "absent")
    assert (process.returncode, process.stdout) == (3, b"")
    assert process.stderr.endswith(b"absent cannot be read: No such file or directory\n")
