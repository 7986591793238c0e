# SPDX-License-Identifier: MIT
"""Certificates of policy hosts and MX hosts, good ones and those with one fault."""

from pki import Pki, openssl


class Certificates:
    def __init__(self, folder):
        self.folder = folder
        self.pki = Pki(folder / "good")
        self.other = Pki(folder / "other")  # an authority that nobody trusts
        self._made = {}

    def make(self, domain, kind=None):
        """The chain and the key of mta-sts.<domain>."""
        return self.make_host(f"mta-sts.{domain}", kind)

    def make_host(self, host, kind=None):
        """kind  the fault; None: none"""
        if (host, kind) not in self._made:
            self._made[host, kind] = self._make(host, kind, self.folder / f"{host}-{kind}")
        return self._made[host, kind]

    def make_group(self, bits):
        """Of Diffie-Hellman."""
        path = self.folder / f"dh-{bits}.pem"
        if not path.exists():
            openssl("dhparam", "-dsaparam", "-out", path, bits)
        return path

    def _make(self, host, kind, folder):
        names = {"name": ["elsewhere.example"], "wildcard": ["*.depth.example"]}.get(kind, [host])
        if kind == "self":
            return self._self_signed(folder, host)
        if kind == "future":
            return self._dated(folder, host)
        if kind == "untrusted":
            chain, key = self.other.issue(folder, *names, issuer="ca")
            with chain.open("a") as out:
                out.write(self.other.ca.read_text())
            return chain, key
        days = {"expired": -1, "expiring": 3}.get(kind, 90)
        options = {"rsa-1024": {"kind": "rsa-1024"}, "rsa": {"kind": "rsa"},
                   "sha1": {"digest": "sha1"},
                   "must-staple": {"extensions": ["tlsfeature = status_request"]}}.get(kind, {})
        chain, key = self.pki.issue(folder, *names, days=days, **options)
        if kind == "leaf-alone":
            end = "-----END CERTIFICATE-----\n"
            chain.write_text(chain.read_text().split(end)[0] + end)
        return chain, key

    @staticmethod
    def _self_signed(folder, host):
        folder.mkdir()
        chain, key = folder / "chain.pem", folder / "key.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
                "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-days", 90,
                "-keyout", key, "-out", chain)
        return chain, key

    def _dated(self, folder, host):
        """Valid from 2040."""
        chain, key = self.pki.issue(folder, host)
        database = folder / "ca"
        database.mkdir()
        (database / "index").touch()
        (database / "conf").write_text(
            f"[ca]\ndefault_ca=own\n[own]\ndatabase={database}/index\nnew_certs_dir={database}\n"
            "rand_serial=yes\ndefault_md=sha256\npolicy=any\ncopy_extensions=none\n"
            f"x509_extensions=leaf\n[any]\ncommonName=optional\n[leaf]\nsubjectAltName=DNS:{host}\n",
            encoding="ascii")
        issuer = self.pki.folder
        openssl("ca", "-batch", "-config", database / "conf", "-cert", issuer / "intermediate.pem",
                "-keyfile", issuer / "intermediate.key", "-startdate", "20400101000000Z",
                "-enddate", "20410101000000Z", "-notext", "-in", folder / "request.pem", "-out",
                chain)
        with chain.open("a") as out:
            out.write((issuer / "intermediate.pem").read_text())
        return chain, key
