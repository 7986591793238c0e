# SPDX-License-Identifier: MIT
"""Pebble: Let's Encrypt's ACME server for tests, with its certificate and its root trusted."""

import contextlib
import json
import os
import ssl
import urllib.request
from unittest import mock

from names import CA_NAME, NAME_SERVER, PEBBLE, mount
from processes import running

DIRECTORY = f"https://{CA_NAME}/dir"
SYSTEM_TRUST = "/etc/ssl/certs/ca-certificates.crt"
PATIENT = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}


class Pebble:
    """One pebble. It forgets accounts and makes a new root whenever it is started.

    bundle  a file of the roots that all programs here trust
    """

    def __init__(self, folder, pki, bundle):
        self.folder, self.pki, self.bundle = folder, pki, bundle
        self.context = ssl.create_default_context(cafile=pki.ca)
        self.process = None

    def _manage(self, path):
        with urllib.request.urlopen(f"https://{CA_NAME}:15000{path}", context=self.context,
                                    timeout=5) as answer:
            return answer.read()

    @contextlib.contextmanager
    def serving(self, environment=None, **keys):
        """environment  settings of its chaos, PEBBLE_*; without them it is reliable and quick
        keys         more of its configuration
        """
        conf = self.folder / "pebble.json"
        live = self.pki.folder / "live" / CA_NAME
        conf.write_text(json.dumps({"pebble": {
            "listenAddress": f"{PEBBLE}:443", "managementListenAddress": f"{PEBBLE}:15000",
            "certificate": str(live / "fullchain.pem"), "privateKey": str(live / "privkey.pem"),
            "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "",
            **keys}}), encoding="ascii")
        with mock.patch.dict(os.environ, {**PATIENT, **(environment or {})}), \
                running("pebble", "-config", conf, "-dnsserver", f"{NAME_SERVER}:53", status=-15,
                        log=self.folder / "pebble.log", is_ready=self._is_up) as self.process:
            self.bundle.write_bytes(self.pki.ca.read_bytes() + self._manage("/roots/0"))
            yield self

    def _is_up(self):
        return self._manage("/roots/0")

    def log(self):
        return (self.folder / "pebble.log").read_text(encoding="utf-8")


def trust(bundle, pki):
    """Makes the bundle what every program trusts, also those which take no option for it."""
    bundle.write_bytes(pki.ca.read_bytes())
    mount(bundle, SYSTEM_TRUST)
    os.environ["SSL_CERT_FILE"] = str(bundle)
