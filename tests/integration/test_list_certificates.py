# SPDX-License-Identifier: MIT
"""--certificates: each policy host's certificate and its state, by the files alone."""

import json
import re

import pytest

import daemon as harness
from daemon import run

HOSTS = {name: f"mta-sts.{name}" for name in ("good.example", "old.example",
                                               "foreign.example", "none.example")}


@pytest.fixture(name="config", scope="module")
def configuration_of_all(pki, tmp_path_factory):
    """A host for each state, and one domain without a policy."""
    folder = tmp_path_factory.mktemp("list")
    live = folder / "live"
    pki.issue(live / HOSTS["good.example"], HOSTS["good.example"])
    pki.issue(live / HOSTS["old.example"], HOSTS["old.example"], days=-1)
    pki.issue(live / HOSTS["foreign.example"], "mta-sts.example.net")
    domains = {name: {"mx": ["mx.example.com"]} for name in HOSTS}
    settings = {**harness.configuration(pki, domains), "certificates": [
        {"chain": f"{live}/{{host}}/chain.pem", "key": f"{live}/{{host}}/key.pem"}]}
    settings["domains"]["reports.example"] = {"tls_rpt": ["mailto:a@example.com"],
                                              "mta_sts": "false"}
    return harness.write_configuration(folder / "mta-stsd.yaml", settings)


def rows(config, *arguments):
    done = run("-c", config, "--certificates", "--json", *arguments)
    assert not done.stderr
    return {row["domain"]: row for row in json.loads(done.stdout)}, done.returncode


def test_json(config):
    listed, status = rows(config)
    assert status == 1
    assert list(listed) == ["foreign.example", "good.example", "none.example", "old.example"]
    assert {domain: row["state"] for domain, row in listed.items()} == {
        "good.example": "valid", "none.example": "missing", "old.example": "failing",
        "foreign.example": "failing"}
    good = listed["good.example"]
    assert good["host"] == "mta-sts.good.example" and good["error"] is None
    assert good["issuer"] == "CN=intermediate,O=mta-stsd\\, throw-away"
    assert good["path"].endswith("live/mta-sts.good.example/chain.pem")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", good["not_after"])
    none = listed["none.example"]
    assert [none[key] for key in ("not_after", "issuer", "path")] == [None] * 3
    assert "No such file" in none["error"]
    assert "expired on " in listed["old.example"]["error"]
    assert all(row["next_try"] is None for row in listed.values())


def test_text(config):
    done = run("-c", config, "--certificates")
    assert done.returncode == 1
    lines = done.stdout.decode().splitlines()
    assert re.fullmatch(r"mta-sts\.good\.example +valid +until \d+ \w+ 20\d\d, \d\d:\d\d UTC, "
                        r"by CN=intermediate,O=mta-stsd\\, throw-away", lines[2])
    assert re.fullmatch(r"mta-sts\.none\.example +missing", lines[3].rstrip())
    assert lines[4].startswith("    ") and "No such file" in lines[4]


def test_chosen_domains(config):
    listed, status = rows(config, "good.example")
    assert (list(listed), status) == (["good.example"], 0)
    assert rows(config, "reports.example") == ({}, 0)
    done = run("-c", config, "--certificates", "unknown.example")
    assert done.returncode == 2 and b"unknown.example" in done.stderr


def test_behind_a_proxy(tmp_path):
    path = harness.write_configuration(tmp_path / "mta-stsd.yaml", {
        "listen": [{"address": "127.0.0.1:0", "tls": "false"}],
        "domains": {"example.com": {"mx": ["mx.example.com"]}}})
    done = run("-c", path, "--certificates")
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"there are no certificates: a proxy terminates TLS" in done.stderr
