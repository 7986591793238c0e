# SPDX-License-Identifier: MIT
"""The daemon orders certificates from a real CA, and serves them."""

import ssl
import socket
import contextlib
import functools
import http.server
import threading

from daemon import Daemon
from names import POLICY_HOST, POLICY_NAME, policy_hosts
from pebble import DIRECTORY
from processes import eventually

MX = {"mx": ["mail.example.com"]}


def settings(folder, domains, **keys):
    return {"user": "root", "admin": "off", "workers": 2, "state": str(folder / "state"),
            "control": str(folder / "control.sock"),
            "listen": [{"address": f"{POLICY_HOST}:443"}], "policy_host": {"name": POLICY_NAME},
            "policies": {"default": MX}, "domains": domains,
            "acme": {"directory": DIRECTORY, "agree_to_terms": True}, **keys}


def certificate_of(host, bundle):
    """What a sender that trusts the CA is shown, or None."""
    context = ssl.create_default_context(cafile=bundle)
    with contextlib.suppress(OSError), \
            socket.create_connection((POLICY_HOST, 443), timeout=5) as plain, \
            context.wrap_socket(plain, server_hostname=host) as connection:
        return connection.getpeercert()
    return None

@contextlib.contextmanager
def web_root(folder):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer((POLICY_HOST, 80), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def test_one_host(internet, ca, tmp_path):
    internet.publish(*policy_hosts("customer.example"))
    (tmp_path / "web/.well-known").mkdir(parents=True)
    (tmp_path / "web/.well-known/acme-challenge").symlink_to(tmp_path / "state/challenges")
    (tmp_path / "state").mkdir()
    with ca.serving(), web_root(tmp_path / "web"), Daemon(tmp_path, settings(tmp_path, ["customer.example"])) as daemon:
        try:
            daemon.log.wait_for("a new certificate is installed")
        finally:
            print("\n".join(daemon.log.lines))
        eventually(lambda: certificate_of("mta-sts.customer.example", ca.bundle), "the certificate")
