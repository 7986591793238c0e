# SPDX-License-Identifier: MIT
"""`check:`: the daemon has mta-stsd-check look at all domains; the admin listener has the results."""

import json
import os
import time

from operated import Operated, configuration, wait_until

DOMAINS = {"customer.test": {"mx": ["mx.customer.test"]}}  # no server is ever asked below test


def settings_of(pki, folder):
    return configuration(pki, folder, DOMAINS, state=str(folder / "state"), check={"every": "1h"})


def test_results(pki, tmp_path):
    """By the real program; a restart runs it no sooner."""
    results = tmp_path / "state" / "check.json"
    with Operated(tmp_path, settings_of(pki, tmp_path)) as daemon:
        assert daemon.admin("/check.json").status == 404
        wait_until(lambda: daemon.metric('check_runs_total{result="good"}') == 1, "a check", 120)
        answer = daemon.admin("/check.json")
        assert (answer.status, answer.header("content-type")) == (200, "application/json")
        document = json.loads(answer.body)
        assert [each["domain"] for each in document["domains"]] == ["customer.test"]
        metrics = daemon.metrics()
        assert sum(value for name, value in metrics.items()
                   if name.startswith("check_domains{")) == 1
        assert abs(metrics["check_finished_timestamp_seconds"] - time.time()) < 120
    before = os.stat(results)
    with Operated(tmp_path, settings_of(pki, tmp_path)) as daemon:
        assert daemon.admin("/check.json").status == 200  # the results outlive the daemon
        assert os.stat(results).st_mtime_ns == before.st_mtime_ns


def test_without_state(pki, tmp_path):
    with Operated(tmp_path, configuration(pki, tmp_path, DOMAINS)) as daemon:
        assert daemon.admin("/check.json").status == 404
        assert daemon.metric('check_runs_total{result="good"}') == 0
