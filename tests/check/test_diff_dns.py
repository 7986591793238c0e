# SPDX-License-Identifier: MIT
"""--diff-dns: what live DNS lacks or has otherwise, and what has to wait for the policy."""

import json

import pytest

from daemon import run
from scenarios import OURS


def diff(internet, *arguments, form="json"):
    return run(f"--diff-dns={form}", "--dns-config", internet.unbound_conf, "--timeout", 8, "-c",
               internet.daemon.config_path, *arguments)


@pytest.mark.parametrize("domain, names, status, is_waiting", [
    ("ours.example", [], 0, False),
    ("ours-reporting.example", [], 0, False),
    ("ours-stale.example", ["_mta-sts"], 1, False),
    ("ours-elsewhere.example", ["mta-sts"], 1, False),
    ("ours-reports.example", ["_smtp._tls"], 1, False),
    ("ours-unpublished.example", ["_mta-sts", "mta-sts", "_smtp._tls"], 1, True),
    ("ours-beside.example", ["_mta-sts"], 1, False),
])
def test_one_domain(internet, domain, names, status, is_waiting):
    done = diff(internet, domain)
    records = json.loads(done.stdout)
    assert [record["name"].removesuffix("." + domain) for record in records] == names
    assert done.returncode == status
    for record in records:
        assert bool(record["withheld"]) == (is_waiting and record["name"].startswith("_mta-sts."))
    assert (b"1 id is to be published later" in done.stderr) == is_waiting


def test_the_records_are_those_of_print_dns(internet):
    printed = json.loads(run("-c", internet.daemon.config_path, "--print-dns=json").stdout)
    for record in json.loads(diff(internet).stdout):
        assert {**record, "withheld": None} in [{**each, "withheld": None} for each in printed]


def test_all_domains(internet):
    records = json.loads(diff(internet).stdout)
    assert {record["domain"] for record in records} == \
        {domain for domain, each in OURS.items() if each.replaced}


def test_zone_format(internet):
    done = diff(internet, "ours-unpublished.example", form="zone")
    lines = done.stdout.decode().splitlines()
    assert any(line.startswith(";") and "_mta-sts" in line for line in lines)
    assert any("publish this once the policy is served" in line for line in lines)


@pytest.mark.parametrize("arguments, said", [
    (["--diff-dns=nothing"], "nothing is not a format of --print-dns"),
    (["--diff-dns", "good.example"], "'good.example' is not a domain of the configuration"),
])
def test_usage(internet, arguments, said):
    done = run(*arguments, "-c", internet.daemon.config_path)
    assert done.returncode == 2
    assert said in done.stderr.decode()
