# SPDX-License-Identifier: MIT
"""Throw-away certificates: those of certs/make-certs, and odd ones of the same authority."""

import ssl
import subprocess

from daemon import ROOT


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


class Pki:
    def __init__(self, folder, *hosts):
        self.folder = folder
        self.ca = folder / "ca.pem"
        # {host} is the daemon's own variable.
        self.source = {"chain": f"{folder}/live/{{host}}/fullchain.pem",
                       "key": f"{folder}/live/{{host}}/privkey.pem"}
        self.make(*hosts)

    def make(self, *hosts):
        """Certificates where certbot puts them."""
        subprocess.run([ROOT / "certs/make-certs", "-d", self.folder, *hosts], check=True,
                       capture_output=True, timeout=60)

    def issue(self, folder, *names, days=90, kind="ec", issuer="intermediate",
              digest="sha256", extensions=()):
        """Makes folder/chain.pem and folder/key.pem, a certificate with these names in its SAN.

        days    -1: it has expired
        issuer  "ca": the root itself, which is not in the chain
        extensions  lines as openssl.cnf has them
        Returns both paths.
        """
        folder.mkdir(parents=True, exist_ok=True)
        chain, key = folder / "chain.pem", folder / "key.pem"
        request, file = folder / "request.pem", folder / "extensions.cnf"
        lines = ["basicConstraints = critical, CA:FALSE", *extensions]
        if names:
            lines.append("subjectAltName = " + ", ".join(f"DNS:{name}" for name in names))
        if issuer == "intermediate":  # as public authorities do
            lines.append("authorityInfoAccess = caIssuers;URI:http://ca.example/intermediate.der")
        file.write_text("\n".join(lines))
        algorithm = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"],
                     "rsa-1024": ["rsa:1024"],
                     "ed448": ["ed448"]}[kind]
        openssl("req", "-new", "-newkey", *algorithm, "-noenc", "-subj", "/CN=mta-sts.example.com",
                "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.folder / f"{issuer}.pem",
                "-CAkey", self.folder / f"{issuer}.key", "-days", days, f"-{digest}", "-extfile", file,
                "-out", chain)
        if issuer == "intermediate":
            with chain.open("a") as out:
                out.write((self.folder / "intermediate.pem").read_text())
        return chain, key


def leaf_of(chain):
    """The first certificate of a PEM file, as getpeercert(binary_form=True) has it."""
    end = "-----END CERTIFICATE-----"
    return ssl.PEM_cert_to_DER_cert(chain.read_text().split(end)[0] + end)
