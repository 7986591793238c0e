# SPDX-License-Identifier: MIT
"""The CA, the names and the trust of these tests: uacme alone gets a certificate from them."""

import contextlib
import functools
import http.server
import subprocess
import threading

from names import POLICY_HOST, policy_hosts
from pebble import DIRECTORY, SYSTEM_TRUST

HOOK = """\
#!/bin/sh
[ "$2" = http-01 ] || exit 1
case $1 in
begin) printf %s "$5" >"{folder}/$4" ;;
*) rm "{folder}/$4" ;;
esac
"""


@contextlib.contextmanager
def web_root(folder):
    """Any web server with the challenges in it."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer((POLICY_HOST, 80), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def uacme(confdir, *arguments, hook=None):
    options = ["--hook", hook] if hook else []
    return subprocess.run(["uacme", "-v", "--acme-url", DIRECTORY, "--confdir", confdir, "--type", "EC",
                           "--yes", *options, *arguments], capture_output=True, text=True,
                          timeout=60, check=False)


def test_uacme_alone(internet, ca, tmp_path):
    internet.publish(*policy_hosts("customer.example"))
    confdir, challenges = tmp_path / "uacme", tmp_path / "web/.well-known/acme-challenge"
    challenges.mkdir(parents=True)
    hook = tmp_path / "hook"
    hook.write_text(HOOK.format(folder=challenges), encoding="ascii")
    hook.chmod(0o755)
    with ca.serving(), web_root(tmp_path / "web"):
        made = uacme(confdir, "new", "postmaster@provider.example")
        assert made.returncode == 0, made.stderr
        issued = uacme(confdir, "issue", "mta-sts.customer.example", hook=hook)
        assert issued.returncode == 0, issued.stderr
        chain = confdir / "mta-sts.customer.example/cert.pem"
        subprocess.run(["openssl", "verify", "-CAfile", SYSTEM_TRUST, "-untrusted", chain,
                        "-verify_hostname", "mta-sts.customer.example", chain], check=True, timeout=10)
    assert not list(challenges.iterdir())
