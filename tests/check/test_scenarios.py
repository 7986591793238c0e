# SPDX-License-Identifier: MIT
"""Each scenario's faults are found, and nothing else is."""

import json

import pytest

from daemon import run
from scenarios import SCENARIOS


@pytest.mark.parametrize("domain", SCENARIOS)
def test_scenario(checked, domain):
    report = checked[domain]
    assert {finding["code"] for finding in report["findings"]} == SCENARIOS[domain].codes
    assert report["verdict"] == SCENARIOS[domain].verdict


def test_every_code_has_a_scenario():
    listed = {row["code"] for row in json.loads(run("--list-checks", "--json").stdout)}
    raised = set().union(*(scenario.codes for scenario in SCENARIOS.values()))
    assert listed == raised
