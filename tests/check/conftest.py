# SPDX-License-Identifier: MIT
"""Fixtures of the tests of --check: an Internet of their own. CTest sets MTA_STSD."""

import contextlib
import json
import os
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).parents[1]
sys.path += [str(TESTS / "integration"), str(TESTS / "clients")]

import network
from authority import Internet
from broken_dns import broken_server
from certificates import Certificates
from daemon import Daemon, run
from scenarios import MX_HOST, OURS, PROVIDER_ZONES, SCENARIOS
from mail import MailServers
from scenarios_mx import MX_HOSTS, mail_zones
from unshared import NotPermitted
from web import Scripted, nginx

SKIPPED = 77  # CTest's SKIP_RETURN_CODE
TIMEOUT_S = 8


def publish_ours(folder, pki):
    """Gives the domains of ours their records; returns the daemon that serves them, not begun."""
    folder.mkdir()
    pki.make("policy.provider.example", *(f"mta-sts.{domain}" for domain in OURS))
    daemon = Daemon(folder, {
        "user": "root", "admin": "off", "workers": 1, "certificates": [pki.source],
        "listen": [{"address": f"{network.DAEMON[0]}:443"},
                   {"address": f"[{network.DAEMON[1]}]:443"}],
        "policy_host": {"name": "policy.provider.example"},
        "policies": {"standard": {"mode": "enforce", "mx": [MX_HOST.rstrip(".")], "max_age": "2w",
                                  "tls_rpt": ["mailto:reports@provider.example"]}},
        "domains": {domain: each.settings for domain, each in OURS.items()}})
    printed = json.loads(run("-c", daemon.config_path, "--print-dns=json").stdout)
    for domain, each in OURS.items():
        each.publish(domain, [record for record in printed if record["domain"] == domain])
    return daemon


def enter_network():
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    try:
        network.enter()
    except NotPermitted as reason:
        pytest.exit(f"NOT TESTED on an Internet of its own, which needs a namespace: {reason}",
                    returncode=1 if os.environ.get("CI") else SKIPPED)


@pytest.fixture(name="internet", scope="session")
def own_internet(tmp_path_factory):
    """Everything that the scenarios need, up and running, and how to check a domain of it."""
    enter_network()
    folder = tmp_path_factory.mktemp("internet")
    for name in ("dns", "nginx", "pki"):
        (folder / name).mkdir()
    certificates = Certificates(folder / "pki")
    os.environ["SSL_CERT_FILE"] = str(certificates.pki.ca)
    daemon = publish_ours(folder / "daemon", certificates.pki)
    zones = {**PROVIDER_ZONES, **mail_zones(certificates),
             **{name: each.zone for name, each in SCENARIOS.items() if each.zone}}
    sites = [(name, site) for name, each in SCENARIOS.items() for site in each.sites]
    scripts = {name: each.script for name, each in SCENARIOS.items() if each.script}
    with contextlib.ExitStack() as stack:
        internet = stack.enter_context(Internet(folder / "dns").serving(zones))
        stack.enter_context(broken_server(network.NGINX[0]))
        stack.enter_context(nginx(folder / "nginx", sites, certificates.make))
        stack.enter_context(Scripted(scripts, certificates.make).serving())
        stack.enter_context(daemon)
        internet.mail = stack.enter_context(MailServers(MX_HOSTS).serving())
        internet.certificates, internet.daemon = certificates, daemon
        yield internet


def check(internet, *arguments, timeout_s=TIMEOUT_S):
    """Runs --check against the tests' Internet; returns the finished process."""
    return run("--check", "--dns-config", internet.unbound_conf, "--timeout", timeout_s, *arguments)


@pytest.fixture(name="checked", scope="session")
def all_scenarios_checked(internet):
    """The JSON of all scenarios, by domain: one run over all of them."""
    done = check(internet, "--json", "--config", internet.daemon.config_path, *SCENARIOS)
    assert done.returncode == 1, done.stderr.decode()
    return {each["domain"]: each for each in json.loads(done.stdout)["domains"]}
