# SPDX-License-Identifier: MIT
"""Fixtures of the attacks: a network of their own, a daemon for each file, what is to hold after.

MTA_STSD is the path of the program; CTest sets it.
"""

import os
import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).parents[1] / "integration"))
pytest.register_assert_rewrite("client", "daemon", "target")

# pylint: disable=wrong-import-position
import namespace  # noqa: E402
from daemon import Daemon  # noqa: E402
from pki import Pki  # noqa: E402
from target import HOST, Target, nothing_lost  # noqa: E402
from unshared import NotPermitted  # noqa: E402

SKIPPED = 77  # CTest's SKIP_RETURN_CODE


@pytest.fixture(name="pki", scope="session")
def session_in_a_network(tmp_path_factory):
    try:
        namespace.enter()
    except NotPermitted as reason:
        pytest.exit(f"NOT ATTACKED, for want of a network of the tests' own: {reason}",
                    returncode=1 if os.environ.get("CI") else SKIPPED)
    return Pki(tmp_path_factory.mktemp("pki"), HOST, "policy.provider.example",
               "reports.example.net")


@pytest.fixture(name="module_target", scope="module")
def target_of_a_module(pki, tmp_path_factory):
    with Target(tmp_path_factory.mktemp("daemon"), pki) as target:
        for _ in range(8):  # each worker has answered once
            target.fetch()
        yield target


@pytest.fixture(name="target")
def attacked_target(module_target):
    """Afterwards it is alive, answers, and has as many descriptors as before."""
    with nothing_lost(module_target):
        yield module_target


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """A failed test shows what its daemon has said, after what is wrong."""
    report = (yield).get_result()
    if report.failed:
        for daemon in Daemon.running:
            report.sections.append(("log of the daemon", "\n".join(daemon.log.lines[-100:])))
