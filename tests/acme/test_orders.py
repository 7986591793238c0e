# SPDX-License-Identifier: MIT
"""The daemon orders certificates from a real CA, and serves them."""

from names import CA_NAME, policy_hosts
from ordering import Orderer, settings
from processes import eventually


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
