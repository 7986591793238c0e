# SPDX-License-Identifier: MIT
"""Each scenario's faults are found, and nothing else is."""

import json

import pytest

from daemon import run
from scenarios import SCENARIOS
from scenarios_mx import MX_SCENARIOS


@pytest.mark.parametrize("domain", SCENARIOS)
def test_scenario(checked, domain):
    report = checked[domain]
    assert {finding["code"] for finding in report["findings"]} == SCENARIOS[domain].codes
    assert report["verdict"] == SCENARIOS[domain].verdict


@pytest.mark.parametrize("name", MX_SCENARIOS)
def test_verdict_of_dane(checked, name):
    assert checked[f"{name}.example"]["dane_verdict"] == MX_SCENARIOS[name].dane


def test_every_code_has_a_scenario():
    listed = {row["code"] for row in json.loads(run("--list-checks", "--json").stdout)}
    raised = set().union(*(scenario.codes for scenario in SCENARIOS.values()))
    assert listed == raised
