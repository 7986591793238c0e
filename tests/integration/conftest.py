# SPDX-License-Identifier: MIT
"""Fixtures of the integration tests: certificates for the session, a daemon for a test.

MTA_STSD is the path of the program; CTest sets it.
"""

import contextlib

import pytest

pytest.register_assert_rewrite("client", "daemon")  # before they are imported

from daemon import Daemon
from pki import Pki


@pytest.fixture(name="pki", scope="session")
def session_pki(tmp_path_factory):
    """Certificates for two policy hosts and for the policy host's own name, of a trusted root."""
    pki = Pki(tmp_path_factory.mktemp("pki"), "mta-sts.example.com", "mta-sts.example.org",
              "policy.provider.example")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(pki.ca))
        yield pki


@pytest.fixture(name="serve")
def serve_in_test(tmp_path):
    """Starts a daemon with these settings; it is ended, and must end well, after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda settings: stack.enter_context(Daemon(tmp_path, settings))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failed test shows what its daemon has said, after what is wrong."""
    del item
    report = (yield).get_result()
    if report.failed:
        for daemon in Daemon.running:
            report.sections.append(("log of the daemon", "\n".join(daemon.log.lines)))
