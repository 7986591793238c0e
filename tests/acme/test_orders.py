# SPDX-License-Identifier: MIT
"""The daemon orders certificates from a real CA, and serves them."""

from names import policy_hosts
from ordering import Orderer, settings


def test_one_host(internet, ca, tmp_path):
    internet.publish(*policy_hosts("customer.example"))
    with ca.serving(), Orderer(tmp_path, settings(tmp_path, ["customer.example"])) as daemon:
        daemon.wait_served(ca.bundle, "customer.example")
        assert not daemon.challenges()
        folder = daemon.certificate("customer.example").parent
        assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600
