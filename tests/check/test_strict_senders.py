# SPDX-License-Identifier: MIT
"""Where we warn of senders that are stricter than Postfix, those refuse: OpenSSL at its security
level 2, and GnuTLS."""

import subprocess

import pytest

from scenarios_mx import MX_SCENARIOS

CASES = [  # the code for which it refuses, if it does
    ("openssl", "dh-small", "smtp-dh-small"),
    ("openssl", "dh-small-first", "smtp-dh-small"),
    ("openssl", "dh-first", None),
    ("openssl", "mx-rsa-1024", "mx-cert-key-small"),
    ("openssl", "mx-rsa-2048", None),
    ("openssl", "mx-must-staple", None),
    ("gnutls", "mx-must-staple", "mx-cert-staple"),
    ("gnutls", "mx-rsa-2048", None),
]


def shake_hands(library, host, address, ca):
    """Whether a client of the library does so, and verifies the certificate."""
    command = {
        "openssl": ["openssl", "s_client", "-starttls", "smtp", "-connect", f"{address}:25",
                    "-cipher", "DEFAULT:@SECLEVEL=2", "-CAfile", ca, "-verify_return_error",
                    "-verify_hostname", host, "-servername", host],
        "gnutls": ["gnutls-cli", "--starttls-proto=smtp", "--port=25", f"--x509cafile={ca}",
                   f"--verify-hostname={host}", f"--sni-hostname={host}", address],
    }[library]
    done = subprocess.run(command, input=b"QUIT\n", capture_output=True, timeout=60, check=False)
    return done.returncode == 0, (done.stdout + done.stderr).decode()


@pytest.mark.parametrize("library, name, code", CASES)
def test_refuses_what_we_warn_of(internet, checked, library, name, code):
    host = MX_SCENARIOS[name].host
    is_done, printed = shake_hands(library, host.host, host.addresses[0],
                                   internet.certificates.pki.ca)
    assert is_done == (code is None), printed
    found = {finding["code"] for finding in checked[f"{name}.example"]["findings"]}
    assert code is None or code in found
