# SPDX-License-Identifier: MIT
"""A daemon that orders its certificates, and senders that look at them."""

import contextlib
import datetime
import re
import socket
import ssl
import time

from client import exchange, request
from names import POLICY_HOST, POLICY_NAME
from operated import Operated
from pebble import DIRECTORY
from processes import eventually

PATIENCE_S = 90
OWN = ("customer.example",)


def settings(folder, domains, address=POLICY_HOST, **keys):
    """What an operator writes; `acme` is added to what has to be there."""
    acme = {"directory": DIRECTORY, "agree_to_terms": True, **keys.pop("acme", {})}
    return {"user": "root", "admin": "127.0.0.1:0", "workers": 2, "state": str(folder / "state"),
            "control": str(folder / "control.sock"),
            "listen": [{"address": f"{address}:443"},
                       {"address": f"{address}:80", "serve": "challenges"}],
            "policy_host": {"name": POLICY_NAME},
            "policies": {"default": {"mx": ["mail.example.com"]}},
            "domains": {domain: {} for domain in domains}, "acme": acme, **keys}


class Orderer(Operated):
    """The daemon. clock  a ShiftedClock that it shares with all that it starts; None: the real one"""

    def __init__(self, folder, configuration, clock=None):
        environment = clock.environment.items() if clock else ()
        super().__init__(folder, configuration,
                         ["env", *(f"{name}={value}" for name, value in environment)])
        self.folder, self.clock = folder, clock
        self.host = configuration["listen"][0]["address"].rsplit(":", 1)[0]

    def __enter__(self):
        (self.folder / "state").mkdir(exist_ok=True)
        return super().__enter__()

    def __exit__(self, kind, *rest):
        if kind:
            print("\n".join(line for line in self.log.lines if "refused" not in line))
        super().__exit__(kind, *rest)

    def pass_time(self, seconds):
        """Moves the clock; whoever was to wait until then is tried."""
        self.clock.shift(self.clock.shift_s + seconds)
        self.reload()

    def fetch(self, domain, bundle):
        """The policy of a domain, as a sender that trusts the CA gets it."""
        context = ssl.create_default_context(cafile=bundle)
        name = f"mta-sts.{domain}"
        plain = socket.create_connection((self.host, 443), timeout=10)
        return exchange(context.wrap_socket(plain, server_hostname=name), request(name))

    def serves(self, domain, bundle):
        with contextlib.suppress(OSError):
            return self.fetch(domain, bundle).status == 200
        return False

    def wait_served(self, bundle, *domains, patience_s=PATIENCE_S):
        """A line of the log comes before each first look, which would be a refused handshake."""
        end = time.monotonic() + patience_s
        for domain in domains:
            name = re.escape(f"mta-sts.{domain}")
            while not self.log.find(f"{name}: .*installed") and time.monotonic() < end:
                time.sleep(0.1)
            eventually(lambda: self.serves(domain, bundle), f"{domain} is served",
                       max(1, end - time.monotonic()))

    def certificate(self, domain):
        """The path of the certificate that was ordered."""
        return self.folder / "state/certificates" / f"mta-sts.{domain}" / "certificate.pem"

    def challenges(self):
        return sorted(path.name for path in (self.folder / "state/challenges").iterdir())


def end_of(path):
    """When a certificate ends, by its file."""
    from cryptography import x509
    end = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after
    return end.replace(tzinfo=datetime.timezone.utc).timestamp()
