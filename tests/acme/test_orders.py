# SPDX-License-Identifier: MIT
"""The daemon orders certificates from a real CA, and serves them."""

import pytest

from names import CA_NAME, OTHER_MACHINE, policy_hosts
from ordering import Orderer, settings
from processes import eventually

HOSTS = 50


def test_one_host(internet, ca, tmp_path):
    internet.publish(*policy_hosts("customer.example"))
    with ca.serving(), Orderer(tmp_path, settings(tmp_path, ["customer.example"])) as daemon:
        daemon.wait_served(ca.bundle, "customer.example")
        assert not daemon.challenges()
        folder = daemon.certificate("customer.example").parent
        assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600
        # That there was none is not worth a line: it was being ordered.
        assert not daemon.log.find("cannot be read")


def test_another_authority(internet, ca, tmp_path):
    """Who has tried with another directory gets new certificates, whatever their dates."""
    internet.publish(*policy_hosts("customer.example"))
    wanted = settings(tmp_path, ["customer.example"])
    with ca.serving():
        with Orderer(tmp_path, wanted) as daemon:
            daemon.wait_served(ca.bundle, "customer.example")
            path = daemon.certificate("customer.example")
            before = path.read_bytes()
        wanted["acme"]["directory"] = f"https://{CA_NAME}:443/dir"
        with Orderer(tmp_path, wanted) as daemon:
            daemon.log.wait_for("a new certificate is installed")
            assert path.read_bytes() != before
            assert path.with_name("directory").read_text() == f"https://{CA_NAME}:443/dir\n"


def test_domain_that_leaves(internet, ca, tmp_path):
    """Its files stay, marked, until it comes back."""
    both, drops = ["customer.example", "other.example"], {"limits": {"removed": "100%"}}
    internet.publish(*policy_hosts(*both))
    with ca.serving(), Orderer(tmp_path, settings(tmp_path, both, **drops)) as daemon:
        daemon.wait_served(ca.bundle, *both)
        mark = daemon.certificate("other.example").with_name("removed")
        daemon.reload(settings(tmp_path, both[:1], **drops))
        daemon.log.wait_for("of 1 host that left the configuration are not renewed")
        assert mark.exists() and daemon.certificate("other.example").exists()
        daemon.reload(settings(tmp_path, both, **drops))
        eventually(lambda: not mark.exists(), "the mark is gone")


def test_many_hosts(internet, ca, tmp_path):
    """From nothing to served, with one account."""
    domains = [f"c{i:02}.example" for i in range(HOSTS)]
    internet.publish(*policy_hosts(*domains))
    with ca.serving(), Orderer(tmp_path, settings(tmp_path, domains)) as daemon:
        daemon.wait_served(ca.bundle, *domains)
        assert not daemon.challenges()
        assert daemon.metric('acme_orders_total{result="issued"}') == HOSTS
        assert daemon.metric('acme_hosts{state="valid"}') == HOSTS
    assert "There are now 1 accounts" in ca.log() and "There are now 2 accounts" not in ca.log()


def test_one_more_domain(internet, ca, tmp_path):
    """A customer is a line of YAML and a reload; other certificates stay as they are."""
    internet.publish(*policy_hosts("one.example", "two.example"))
    with ca.serving(), Orderer(tmp_path, settings(tmp_path, ["one.example"])) as daemon:
        daemon.wait_served(ca.bundle, "one.example")
        before = daemon.certificate("one.example").read_bytes()
        daemon.change(settings(tmp_path, ["one.example", "two.example"]))
        daemon.wait_served(ca.bundle, "two.example")
        assert daemon.certificate("one.example").read_bytes() == before


def test_restart(internet, ca, tmp_path):
    """Nothing is ordered again, and the account is the same."""
    internet.publish(*policy_hosts("one.example", "two.example"))
    configuration = settings(tmp_path, ["one.example"])
    key = tmp_path / "state/acme/account/private/key.pem"
    with ca.serving():
        with Orderer(tmp_path, configuration) as daemon:
            daemon.wait_served(ca.bundle, "one.example")
            before = daemon.certificate("one.example").read_bytes(), key.read_bytes()
        with Orderer(tmp_path, settings(tmp_path, ["one.example", "two.example"])) as daemon:
            assert daemon.serves("one.example", ca.bundle)
            daemon.wait_served(ca.bundle, "two.example")
            assert (daemon.certificate("one.example").read_bytes(), key.read_bytes()) == before
            assert daemon.metric('acme_orders_total{result="issued"}') == 1


# What DNS says of a host.
OBSTACLES = {
    "elsewhere.example": [f"mta-sts.elsewhere.example. A {OTHER_MACHINE}"],
    "absent.example": [],
    "nowhere.example": ["mta-sts.nowhere.example. CNAME nobody.provider.example."],
    "closed.example": [*policy_hosts("closed.example"), 'closed.example. CAA 0 issue ";"'],
}


def test_obstacles(internet, ca, tmp_path):
    """No order is made where DNS would have it fail, and others are served all the same."""
    good = [f"good{i}.example" for i in range(10)]
    domains = sorted([*good, *OBSTACLES])
    internet.publish(*policy_hosts(*good), *sum(OBSTACLES.values(), []))
    with ca.serving(), Orderer(tmp_path, settings(tmp_path, domains)) as daemon:
        daemon.wait_served(ca.bundle, *good)
        for domain in OBSTACLES:
            daemon.log.wait_for(f"mta-sts.{domain}: no certificate can be ordered yet")
            assert not daemon.serves(domain, ca.bundle)
        asked = ca.log()
        assert not [domain for domain in OBSTACLES if f"mta-sts.{domain}" in asked]
        assert daemon.metric('acme_hosts{state="waiting"}') == len(OBSTACLES)
        # Whoever mends it and reloads does not wait for the next try.
        internet.publish(*policy_hosts(*domains))
        daemon.ask("--reload")
        daemon.wait_served(ca.bundle, *domains)


@pytest.mark.parametrize("chaos", [
    {"PEBBLE_AUTHZREUSE": "100"},
    {"PEBBLE_WFE_NONCEREJECT": "15"},
    {"PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME": "3"},
    {"PEBBLE_CHAIN_LENGTH": "3", "PEBBLE_ALTERNATE_ROOTS": "2"},
], ids=["reuse", "nonces", "slow", "chain"])
def test_chaos(internet, ca, tmp_path, chaos):
    domains = [f"c{i}.example" for i in range(5)]
    internet.publish(*policy_hosts(*domains))
    with ca.serving(chaos), Orderer(tmp_path, settings(tmp_path, domains)) as daemon:
        daemon.wait_served(ca.bundle, *domains, patience_s=100)
        assert not daemon.challenges()
