# SPDX-License-Identifier: MIT
"""Certificates of strangers who mean harm: too many names, odd names, long chains, huge keys."""

import datetime
import math
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (Encoding, NoEncryption, PrivateFormat,
                                                          load_pem_private_key)

ODD = "\x1b]0;evil\x07\x1b[2J"
N_NAMES = 10_000
N_CHAIN = 100


def _certificate(subject, key, issuer, issuer_key, *, names=(), is_authority=False):
    start = datetime.datetime.utcnow() - datetime.timedelta(days=1)
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(start).not_valid_after(start + datetime.timedelta(days=90))
               .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), True))
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _der(tag, octets):
    return bytes([tag, 0x84]) + len(octets).to_bytes(4, "big") + octets


def _der_number(number):
    return _der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _der_numbers(*numbers):
    return _der(0x30, b"".join(map(_der_number, numbers)))


class MersenneKey:
    """RSA of 16,377 bits, out of primes that are known: others take minutes to find."""

    PRIMES, E = [2**n - 1 for n in (4423, 4253, 3217, 2281, 2203)], 65537

    def public_key(self):
        return rsa.RSAPublicNumbers(self.E, math.prod(self.PRIMES)).public_key()

    def private_bytes(self, *_):
        """RFC 8017 A.1.2, with more than two primes."""
        p, q, *more = self.PRIMES
        d = pow(self.E, -1, math.prod(prime - 1 for prime in self.PRIMES))
        others = [_der_numbers(prime, d % (prime - 1),
                               pow(math.prod(self.PRIMES[:2 + i]), -1, prime))
                  for i, prime in enumerate(more)]
        numbers = [1, math.prod(self.PRIMES), self.E, d, p, q, d % (p - 1), d % (q - 1),
                   pow(q, -1, p)]
        octets = _der(0x30, b"".join(map(_der_number, numbers)) + _der(0x30, b"".join(others)))
        return ssl.DER_cert_to_PEM_cert(octets).replace("CERTIFICATE", "RSA PRIVATE KEY").encode()


class OddCertificates:
    """All of the tests' good authority, so that nothing but what is odd is wrong with them."""

    def __init__(self, folder, pki):
        self.folder = folder
        folder.mkdir()
        pem = (pki.folder / "ca.pem").read_bytes()
        self._root = x509.load_pem_x509_certificate(pem)
        self._root_key = load_pem_private_key((pki.folder / "ca.key").read_bytes(), None)

    def make(self, host, kind):
        """The chain and the key of a host."""
        key = MersenneKey() if kind == "huge-key" else \
            rsa.generate_private_key(65537, 2048) if kind == "huge-prime" else \
            ec.generate_private_key(ec.SECP256R1())
        names = {"many-names": [f"n{i}.{host}" for i in range(N_NAMES)],
                 "odd-names": [f"{ODD}.{host}", f"{host}\0.evil.example"]}.get(kind, [host])
        issuer, issuer_key, above = self._root.subject, self._root_key, []
        if kind == "odd-names":
            authority = _certificate(_name(ODD + "\0" * 9), issuer_key, issuer, issuer_key,
                                     is_authority=True)
            issuer = authority.subject  # which is not sent
        for i in range(N_CHAIN if kind == "long-chain" else 0):
            own = ec.generate_private_key(ec.SECP256R1())
            above.insert(0, _certificate(_name(f"authority {i}"), own, issuer, issuer_key,
                                         is_authority=True))
            issuer, issuer_key = above[0].subject, own
        leaf = _certificate(_name(ODD if kind == "odd-names" else "host"), key, issuer, issuer_key,
                            names=names)
        return self._write(f"{host}-{kind}", [leaf, *above], key)

    def make_group(self):
        """Parameters of Diffie-Hellman, PKCS #3: a prime of 9,941 bits, and 3."""
        path = self.folder / "group.pem"
        path.write_text(ssl.DER_cert_to_PEM_cert(_der_numbers(2**9941 - 1, 3)).replace(
            "CERTIFICATE", "DH PARAMETERS"), encoding="ascii")
        return path

    def _write(self, name, chain, key):
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        paths[0].write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in chain))
        paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return paths
