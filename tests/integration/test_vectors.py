# SPDX-License-Identifier: MIT
"""--parse-policy, --parse-record and --match-mx come to the verdicts of tests/data/vectors."""

import base64
import json

import pytest

from daemon import ROOT, run

# What the configuration refuses, so that no policy of ours ever has it: a pattern that covers no
# MX host of that provider, and one that covers everybody's.
REFUSED_MX = ["*.mx.microsoft", "*.com"]


def vectors(name):
    rows = json.loads((ROOT / "tests/data/vectors" / f"{name}.json").read_text())["vectors"]
    return [pytest.param(row, id=row["id"]) for row in rows]


def policy_bytes(row):
    return base64.b64decode(row["text_b64"]) if "text_b64" in row else row["text"].encode()


@pytest.mark.parametrize("row", vectors("policy"))
def test_parse_policy(tmp_path, row):
    """As JSON from standard input and as text from a file."""
    is_valid = row["rfc"] == "valid"
    status = 0 if is_valid else 1
    as_json = run("--parse-policy", "--json", stdin=policy_bytes(row))
    assert (as_json.returncode, as_json.stderr) == (status, b"")
    verdict = json.loads(as_json.stdout)
    assert verdict.pop("valid") == is_valid
    verdict.pop("warnings", None)  # tests/integration/test_pasted.py
    if is_valid:
        assert {"mx": row["parsed"].get("mx", []), **row["parsed"]} == verdict
    else:
        assert verdict["reason"]
    path = tmp_path / "policy"
    path.write_bytes(policy_bytes(row))
    as_text = run("--parse-policy", path)
    assert as_text.returncode == status
    assert as_text.stdout.decode().startswith("valid\nmode: " if is_valid else "invalid: ")


def values_of_one_record(name):
    """(row, value) of the answers that are one record; its strings are put together."""
    for parameter in vectors(name):
        row = parameter.values[0]
        if len(row["txt"]) == 1:
            yield pytest.param(row, "".join(row["txt"][0]).encode(), id=row["id"])


@pytest.mark.parametrize("row, value", values_of_one_record("record"))
def test_parse_record(tmp_path, row, value):
    is_valid = row["rfc"] == "policy-available"
    process = run("--parse-record", "--json", stdin=value)
    verdict = json.loads(process.stdout)
    assert (process.returncode, verdict.pop("valid")) == (0 if is_valid else 1, is_valid)
    verdict.pop("warnings", None)
    assert verdict == {"id": row["policy_id"]} if is_valid else verdict["reason"]
    path = tmp_path / "record"
    path.write_bytes(value + b"\r\n")  # as an editor leaves it
    process = run("--parse-record", path)
    assert process.returncode == (0 if is_valid else 1)
    assert process.stdout.decode().startswith(
        f"valid\nid: {row['policy_id']}\n" if is_valid else "invalid: ")


@pytest.mark.parametrize("row, value", values_of_one_record("tlsrpt_record"))
def test_parse_tls_rpt_record(row, value):
    is_valid = row["rfc"] == "valid"
    process = run("--parse-record", "--tls-rpt", "--json", stdin=value)
    verdict = json.loads(process.stdout)
    assert (process.returncode, verdict.pop("valid")) == (0 if is_valid else 1, is_valid)
    assert bool(verdict.get("rua")) == is_valid
    assert run("--parse-record", stdin=value).returncode == 1


@pytest.mark.parametrize("row", vectors("mxmatch"))
def test_match_mx(row):
    settings = json.dumps({"domains": {"example.com": {"mx": row["patterns"]}}}).encode()
    process = run("-c", "-", "--match-mx", "example.com", row["mx_host"], stdin=settings)
    if row["patterns"][0] in REFUSED_MX:
        assert process.returncode == 2
        return
    # We publish A-labels whatever was configured: such a pattern covers the host after all.
    is_covered = row["rfc_match"] or row.get("pattern_valid") is False
    assert process.returncode == (0 if is_covered else 1), process.stderr.decode()
    verdict = "covered by mx: " if is_covered else "not covered; the mx patterns of "
    assert process.stdout.decode().startswith(f"{row['mx_host']} is {verdict}")
