# SPDX-License-Identifier: MIT
"""Two machines with the same domains: one orders, and hands its certificates on to the other."""

import subprocess

import pytest

import manual
from names import OTHER_MACHINE, policy_hosts
from ordering import Orderer, settings

ORDERS_NAME = "orders.provider.example"


def hand_on(orderer, replica):
    """The manual's command, with the paths of this machine's two daemons."""
    command = manual.commands("rsync")
    for path, daemon in (("root@second.provider.example:/var/lib/mta-stsd", replica),
                         ("/var/lib/mta-stsd", orderer)):
        assert path in command
        command = command.replace(path, str(daemon.folder / "state"))
    subprocess.run(command, shell=True, check=True, timeout=20)


@pytest.fixture(name="machines")
def two_machines(tmp_path):
    """A function that starts both with these domains; the first one orders."""
    orders, reads = tmp_path / "orders", tmp_path / "reads"
    orders.mkdir()
    reads.mkdir()

    def start(domains):
        acme = manual.configuration("acme", "challenges_at")
        assert acme["challenges_at"] == f"http://{ORDERS_NAME}" and acme["orders"] is False
        return (Orderer(orders, settings(orders, domains, address=OTHER_MACHINE)),
                Orderer(reads, settings(reads, domains, acme=acme, log={"access": "text"})))
    return start


@pytest.mark.parametrize("both", [False, True], ids=["replica", "both"])
def test_challenges_at_the_replica(internet, ca, machines, both):
    """The names lead to the replica alone, or to both; each domain is served by both in the end."""
    domains = [f"c{i}.example" for i in range(8)]
    also = [f"policy.provider A {OTHER_MACHINE}"] if both else []
    internet.publish(*policy_hosts(*domains), f"orders.provider A {OTHER_MACHINE}", *also)
    orderer, replica = machines(domains)
    with ca.serving(), orderer, replica:
        orderer.wait_served(ca.bundle, *domains)
        redirected = replica.access.find(r"acme-challenge/\S+.* 302 ")
        assert len(redirected) >= (1 if both else len(domains))
        hand_on(orderer, replica)
        for domain in domains:
            assert replica.serves(domain, ca.bundle)
            assert (replica.fetch(domain, ca.bundle).certificate
                    == orderer.fetch(domain, ca.bundle).certificate)


def test_replica_orders_nothing(internet, ca, machines):
    """Neither an account nor an order, whatever it lacks; and it says what it has."""
    internet.publish(*policy_hosts("one.example"), f"orders.provider A {OTHER_MACHINE}")
    orderer, replica = machines(["one.example"])
    with ca.serving(), orderer, replica:
        orderer.wait_served(ca.bundle, "one.example")
        assert b"missing" in replica.ask("--certificates").stdout
        assert not (replica.folder / "state/acme").exists()
        assert b"; withheld: _mta-sts.one.example." in replica.ask("--print-dns").stdout
        hand_on(orderer, replica)
        assert b"valid" in replica.ask("--certificates").stdout
        assert b"withheld" not in replica.ask("--print-dns").stdout
        # A domain that goes on the one machine goes on the other; what is half written stays behind.
        (orderer.folder / "state/certificates/.new-mta-sts.two.example").mkdir()
        (replica.folder / "state/certificates/mta-sts.gone.example").mkdir()
        hand_on(orderer, replica)
        assert [path.name for path in (replica.folder / "state/certificates").iterdir()] \
            == ["mta-sts.one.example"]
