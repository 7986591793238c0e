# SPDX-License-Identifier: MIT
"""Each scenario's faults are found, and nothing else is."""

import pytest

from scenarios import SCENARIOS


@pytest.mark.parametrize("domain", SCENARIOS)
def test_scenario(checked, domain):
    report = checked[domain]
    assert {finding["code"] for finding in report["findings"]} == SCENARIOS[domain].codes
    assert report["verdict"] == SCENARIOS[domain].verdict
