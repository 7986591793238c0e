# SPDX-License-Identifier: MIT
"""The man pages say what the program has, all of it and nothing else, and their examples run."""

import json
import re
import subprocess

import pytest

from daemon import ROOT, run

PAGES = {name: (ROOT / "docs" / name).read_text(encoding="utf-8")
         for name in ("mta-stsd.8", "mta-stsd.yaml.5")}
KEYS = re.compile(r"^\.It Cm ([a-z_.]+)$", re.MULTILINE)
FINDINGS = re.compile(r'\[FINDING_\w+\] = \{"([a-z0-9-]+)", LEVEL_')
METRICS = re.compile(r'print_(?:family|single)\("([a-z0-9_]+)"')
BLOCK = re.compile(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", re.MULTILINE | re.DOTALL)


def section(page, title):
    return re.search(rf"^\.S[hs] {title}\n(.*?)(?=^\.Sh|\Z)", PAGES[page],
                     re.MULTILINE | re.DOTALL)[1]


@pytest.mark.parametrize("page", PAGES)
def test_lint(page):
    subprocess.run(["mandoc", "-T", "lint", "-W", "warning", ROOT / "docs" / page], check=True)


def test_modes_and_options():
    wanted = set(re.findall(r"--([a-z-]+)", run("--help").stdout.decode()))
    assert set(re.findall(r"^\.It (?:Fl \w , )?Fl -([a-z-]+)", PAGES["mta-stsd.8"],
                          re.MULTILINE)) == wanted


def test_formats():
    listed = run("--help").stdout.decode().split("Formats of --print-dns:\n")[1].split("\n\n")[0]
    assert re.findall(r"^\.It Cm ([a-z0-9-]+)$", section("mta-stsd.8", "DNS"), re.MULTILINE) == \
        [line.split()[0] for line in listed.splitlines()]


def keys_of(schema, prefix=""):
    """The keys below a mapping of the schema; those of a group are named behind it."""
    for alternative in schema.get("anyOf", [schema]):
        for key, value in alternative.get("properties", {}).items():
            inner = value
            if value.get("type") == "array":
                inner = value["items"]
            elif isinstance(value.get("additionalProperties"), dict):
                inner = value["additionalProperties"]
            found = set(keys_of(inner, f"{prefix}{key}." if inner is value else ""))
            if not found or inner is not value or "required" in value:
                yield prefix + key
            yield from found


def test_keys():
    schema = json.loads(run("--print-schema").stdout)
    described = PAGES["mta-stsd.yaml.5"].split(".Sh DIAGNOSTICS")[0]
    assert set(KEYS.findall(described)) | {"policies", "domains"} == set(keys_of(schema))


def test_findings():
    source = (ROOT / "src/base/finding.c").read_text(encoding="utf-8")
    diagnostics = PAGES["mta-stsd.yaml.5"].split(".Sh DIAGNOSTICS")[1]
    assert sorted(re.findall(r"^\.It Cm ([a-z0-9-]+)$", diagnostics, re.MULTILINE)) == \
        sorted(set(FINDINGS.findall(source)) - {"none"})


def test_metrics():
    source = (ROOT / "src/server/admin.c").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\.It Li mtasts_(\w+)$", PAGES["mta-stsd.8"], re.MULTILINE)) == \
        sorted(set(METRICS.findall(source)))


def yaml_blocks():
    return [block for block in BLOCK.findall(PAGES["mta-stsd.yaml.5"]) if "domains:" in block]


@pytest.mark.parametrize("block", yaml_blocks())
def test_configurations(tmp_path, block):
    (tmp_path / "it.yaml").write_text(block, encoding="utf-8")
    process = run("-c", tmp_path / "it.yaml", "--test-config", "--no-certificates")
    assert process.returncode == 0 and b"warning:" not in process.stderr, process.stderr


def test_commands(tmp_path):
    """Those under EXAMPLES, with the page's smallest configuration."""
    config = tmp_path / "it.yaml"
    config.write_text(yaml_blocks()[0], encoding="utf-8")
    commands = BLOCK.findall(section("mta-stsd.8", "EXAMPLES"))[0].splitlines()
    assert len(commands) >= 4
    for command in commands:
        words = command.split()
        assert words[0] == "mta-stsd"
        without = ["--no-certificates"] if words[1].startswith(("--test", "--print-dns")) else []
        process = run("-c", config, *words[1:], *without)
        assert process.returncode == 0, (command, process.stderr)
