# SPDX-License-Identifier: MIT
"""Fixtures of the tests with a real CA: an Internet of their own. CTest sets MTA_STSD."""

import os
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).parents[1]
sys.path += [str(TESTS / name) for name in ("check", "integration", "clients")]

import names
import pebble
from names import Names
from pki import Pki
from shifted_clock import ShiftedClock
from unshared import NotPermitted

SKIPPED = 77  # CTest's SKIP_RETURN_CODE


@pytest.fixture(name="internet", scope="session")
def own_internet(tmp_path_factory):
    """The names of an Internet that this session is moved into; what is started here is there."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    try:
        names.enter()
    except NotPermitted as reason:
        pytest.exit(f"NOT TESTED with a CA, which needs a network of its own: {reason}",
                    returncode=1 if os.environ.get("CI") else SKIPPED)
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in ("CURL_CA_BUNDLE", "SSL_CERT_DIR"):
            del os.environ[name]
    with Names(tmp_path_factory.mktemp("names")).serving() as internet:
        yield internet


@pytest.fixture(name="pki", scope="session")
def trusted_pki(internet, tmp_path_factory):
    """The certificates of servers here; all that runs trusts them and those of the CA."""
    del internet
    pki = Pki(tmp_path_factory.mktemp("pki"), names.CA_NAME, names.FRONT_NAME)
    pki.bundle = pki.folder / "bundle.pem"
    pebble.trust(pki.bundle, pki)
    return pki


@pytest.fixture(name="clock")
def clock_of_daemon(tmp_path):
    if "CLOCK_SHIFT" not in os.environ:
        pytest.skip("the clock cannot be moved in this build")
    return ShiftedClock(tmp_path)


@pytest.fixture(name="ca")
def pebble_not_begun(pki, tmp_path):
    """A CA to be started with the settings that a test needs."""
    folder = tmp_path / "pebble"
    folder.mkdir()
    return pebble.Pebble(folder, pki, pki.bundle)
