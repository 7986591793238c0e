# SPDX-License-Identifier: MIT
"""Many domains in one run: how many at a time, and what is asked once for all of them."""

import json
import os
import time

import pytest

from conftest import check, enter_network
from daemon import IS_SANITIZED, run
from many import many_domains, names_of

COUNT = 300 if IS_SANITIZED else 1000
LIMIT_S = 60 if IS_SANITIZED else 10


@pytest.fixture(name="crowd", scope="module")
def many_domains_served(tmp_path_factory):
    enter_network()
    with many_domains(tmp_path_factory.mktemp("many"), COUNT, os.environ, run) as internet:
        yield internet


def test_all_of_them_in_time(crowd):
    start = time.monotonic()
    done = check(crowd, "--json", "-c", crowd.daemon.config_path)
    took = time.monotonic() - start
    report = json.loads(done.stdout)
    assert {domain["domain"] for domain in report["domains"]} == set(names_of(COUNT))
    assert {domain["verdict"] for domain in report["domains"]} == {"enforced"}, \
        [domain["findings"] for domain in report["domains"] if domain["verdict"] != "enforced"]
    assert report["errors"] == report["warnings"] == 0
    assert took < LIMIT_S


def test_one_at_a_time(crowd):
    report = json.loads(check(crowd, "--json", "--jobs", 1, *names_of(20)).stdout)
    assert [domain["domain"] for domain in report["domains"]] == names_of(20)
