# SPDX-License-Identifier: MIT
"""Renewal: certificates that live for a minute are replaced before their end, while senders fetch."""

import contextlib
import os
import socket
import ssl
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from names import policy_hosts
from ordering import Orderer, end_of, settings
from processes import eventually

LIFE_S = 54
DOMAINS = ("one.example", "three.example", "two.example")


class Sender(threading.Thread):
    """Fetches the policy of a domain again and again, each time by a new connection."""

    def __init__(self, daemon, domain, bundle):
        super().__init__(daemon=True)
        self.orderer, self.domain, self.bundle = daemon, domain, bundle
        self.failures, self.n_good, self.has_to_end = [], 0, threading.Event()

    def run(self):
        while not self.has_to_end.wait(0.05):
            try:
                assert self.orderer.fetch(self.domain, self.bundle).status == 200
                self.n_good += 1
            except Exception as failure:
                self.failures.append((time.time(), repr(failure)))


def public(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def is_pair(folder):
    """Whether the files of one directory belong together, also of one that is replaced meanwhile."""
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        def read(name):
            with os.fdopen(os.open(name, os.O_RDONLY, dir_fd=directory), "rb") as file:
                return file.read()
        key = serialization.load_pem_private_key(read("key.pem"), None)
        return public(x509.load_pem_x509_certificate(read("certificate.pem")).public_key()) \
            == public(key.public_key())
    except FileNotFoundError:  # it was replaced, and its files are removed
        return True
    finally:
        os.close(directory)


class Pairs(threading.Thread):
    """Looks at the files of a host again and again, as a replica that copies them would."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.n_bad, self.n_good, self.has_to_end = folder, 0, 0, threading.Event()

    def run(self):
        while not self.has_to_end.wait(0.01):
            if is_pair(self.folder):
                self.n_good += 1
            else:
                self.n_bad += 1


@contextlib.contextmanager
def looking(*threads):
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.has_to_end.set()
            thread.join()


def served_serial(daemon, domain, bundle):
    context = ssl.create_default_context(cafile=bundle)
    plain = socket.create_connection((daemon.host, 443), timeout=10)
    with context.wrap_socket(plain, server_hostname=f"mta-sts.{domain}") as connection:
        return int(connection.getpeercert()["serialNumber"], 16)


def test_renewal(internet, ca, tmp_path):
    internet.publish(*policy_hosts(*DOMAINS))
    with ca.serving(certificateValidityPeriod=LIFE_S), \
            Orderer(tmp_path, settings(tmp_path, DOMAINS)) as daemon:
        daemon.wait_served(ca.bundle, *DOMAINS)
        first = {domain: (served_serial(daemon, domain, ca.bundle),
                          end_of(daemon.certificate(domain))) for domain in DOMAINS}
        # One of them gets a new key too; then what is read in two steps could be of two pairs.
        key = tmp_path / "state/acme/account/private/mta-sts.two.example/key.pem"
        old_key = key.read_bytes()
        key.unlink()
        senders = [Sender(daemon, domain, ca.bundle) for domain in DOMAINS]
        pairs = [Pairs(daemon.certificate(domain).parent) for domain in DOMAINS]
        with looking(*senders, *pairs):
            for domain in DOMAINS:
                serial, end = first[domain]
                daemon.log.wait_for(f"mta-sts.{domain}: a new certificate is installed", count=2)
                assert end - LIFE_S / 3 * 1.2 < time.time() < end
                eventually(lambda: served_serial(daemon, domain, ca.bundle) != serial,
                           f"{domain} is served with its new certificate", end - time.time())
            # Also past the end of the first ones.
            time.sleep(max(0, max(end for _, end in first.values()) - time.time() + 1))
        for sender in senders:
            assert not sender.failures, sender.failures[:3]
            assert sender.n_good > 100
        assert not [looker for looker in pairs if looker.n_bad or looker.n_good < 100]
        assert key.read_bytes() != old_key
        assert not daemon.log.find("is tried again")
        assert daemon.metric('acme_hosts{state="valid"}') == len(DOMAINS)
