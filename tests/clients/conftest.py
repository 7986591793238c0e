# SPDX-License-Identifier: MIT
"""Fixtures of the tests with real clients. MTA_STSD is the path of the program; CTest sets it."""

import os
import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).parents[1] / "integration"))

import network
from daemon import Daemon
from nameservers import Knot, Named
from pki import Pki
from provider import POLICIES, configuration, publish
from unshared import NotPermitted

SKIPPED = 77  # CTest's SKIP_RETURN_CODE


@pytest.fixture(name="pki", scope="session", autouse=True)
def session_in_a_network(tmp_path_factory):
    """Moves the session into its network and makes certificates that its clients trust."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"  # where name servers are, also for an ordinary user
    try:
        network.enter(tmp_path_factory.mktemp("network"))
    except NotPermitted as reason:
        pytest.exit(f"NOT TESTED with real clients, which need a network of their own: {reason}",
                    returncode=1 if os.environ.get("CI") else SKIPPED)
    hosts = [f"mta-sts.{domain}" for domain in POLICIES]
    pki = Pki(tmp_path_factory.mktemp("pki"), "policy.provider.example", *hosts)
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in ("CURL_CA_BUNDLE", "SSL_CERT_DIR"):
            del os.environ[name]
    os.environ["SSL_CERT_FILE"] = str(pki.ca)  # where Python, curl, openssl and Go read their trust
    return pki


@pytest.fixture(name="knot", scope="session")
def session_knot(pki, tmp_path_factory):
    del pki
    with Knot(tmp_path_factory.mktemp("knot")).serving() as knot:
        yield knot


@pytest.fixture(name="named", scope="session")
def session_named(knot):
    del knot
    with Named().serving() as named:
        yield named


@pytest.fixture(name="daemon", scope="module")
def serving_daemon(pki, knot, named, tmp_path_factory):
    """A daemon with the configuration of provider.py, its records published, senders' DNS up."""
    del named
    folder = tmp_path_factory.mktemp("daemon")
    with Daemon(folder, configuration(pki, folder)) as daemon:
        publish(knot, daemon.config_path)
        yield daemon


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """A failed test shows what its daemon has said, after what is wrong."""
    report = (yield).get_result()
    if report.failed:
        for daemon in Daemon.running:
            report.sections.append(("log of the daemon", "\n".join(daemon.log.lines)))
