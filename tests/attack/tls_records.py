# SPDX-License-Identifier: MIT
"""A TLS client that shows its keys: records of any kind, at any time, which the server can open.

OpenSSL shakes hands (ssl.MemoryBIO) and logs its secrets; the keys are derived from them here.
Source: RFC 8446 5.2, 5.3, 7.1 to 7.3; RFC 5246 5, 6.3 and RFC 5288 3 for TLS 1.2.
"""

import hmac
import ssl
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from client import tls_context
from wire import APPLICATION_DATA, TlsClient, record, vector

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE = 20, 21, 22
KINDS = [CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA]
KEY_UPDATE = b"\x18" + vector(3, b"\0")
CLOSE_NOTIFY = b"\x01\x00"
TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
SUITES = {  # of TLS 1.3: what encrypts, length of its key, hash
    "TLS_AES_128_GCM_SHA256": (AESGCM, 16, hashes.SHA256()),
    "TLS_AES_256_GCM_SHA384": (AESGCM, 32, hashes.SHA384()),
    "TLS_CHACHA20_POLY1305_SHA256": (ChaCha20Poly1305, 32, hashes.SHA256()),
}
SUITES_1_2 = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
RANDOM = slice(11, 43)  # of the record that begins with a ClientHello or a ServerHello


def expand_label(algorithm, secret, label, length):
    info = struct.pack(">H", length) + vector(1, b"tls13 " + label) + vector(1)
    return HKDFExpand(algorithm, length, info).derive(secret)


def expand_1_2(secret, label, seed, length):
    """P_SHA256, the pseudorandom function of TLS 1.2."""
    expanded, chained = b"", label + seed
    while len(expanded) < length:
        chained = hmac.digest(secret, chained, "sha256")
        expanded += hmac.digest(secret, chained + label + seed, "sha256")
    return expanded[:length]


def records_of(wire):
    """Each whole record as (kind, version, content)."""
    while len(wire) >= 5:
        end = 5 + int.from_bytes(wire[3:5], "big")
        yield wire[0], wire[1:3], wire[5:end]
        wire = wire[end:]


class Clear:
    """No keys yet."""

    @staticmethod
    def seal(kind, content, version=b"\x03\x03", **_):
        return record(kind, content, version)


class Keys:
    """The client's keys of TLS 1.3, with the number of the next record."""

    def __init__(self, suite, secret):
        self.suite, self.secret = suite, secret
        self.sequence = 0
        self._derive()

    def _derive(self):
        encrypts, key_length, algorithm = SUITES[self.suite]
        self._aead = encrypts(expand_label(algorithm, self.secret, b"key", key_length))
        self._iv = int.from_bytes(expand_label(algorithm, self.secret, b"iv", 12), "big")

    def update(self):
        """The keys behind a KeyUpdate."""
        algorithm = SUITES[self.suite][2]
        self.secret = expand_label(algorithm, self.secret, b"traffic upd", algorithm.digest_size)
        self.sequence = 0
        self._derive()

    def _take_nonce(self):
        nonce = (self._iv ^ self.sequence).to_bytes(12, "big")
        self.sequence += 1
        return nonce

    def seal(self, kind, content, padding=0, version=b"\x03\x03"):
        """kind  0 with no content: a record of padding alone"""
        inner = content + bytes([kind]) + bytes(padding)
        head = struct.pack(">B2sH", APPLICATION_DATA, version, (len(inner) + 16) % 65536)
        return head + self._aead.encrypt(self._take_nonce(), inner, head)

    def open(self, kind, version, sealed):
        """Kind and content, without padding."""
        head = struct.pack(">B2sH", kind, version, len(sealed))
        inner = self._aead.decrypt(self._take_nonce(), sealed, head).rstrip(b"\0")
        return inner[-1], inner[:-1]


class Keys12:
    """The client's keys of TLS 1.2, whose records show their kind and carry their number."""

    def __init__(self, key, salt):
        self.sequence = 0
        self._aead, self._salt = AESGCM(key), salt

    def _take_nonce(self, kind, version, length):
        number = struct.pack(">Q", self.sequence)
        self.sequence += 1
        return number, number + struct.pack(">B2sH", kind, version, length % 65536)

    def seal(self, kind, content, version=b"\x03\x03", **_):
        number, head = self._take_nonce(kind, version, len(content))
        return record(kind, number + self._aead.encrypt(self._salt + number, content, head),
                      version)

    def open(self, kind, version, sealed):
        _, head = self._take_nonce(kind, version, len(sealed) - 24)
        return kind, self._aead.decrypt(self._salt + sealed[:8], sealed[8:], head)


class KeyLog:
    """The contexts of a client for both versions, and the secrets of their connections."""

    def __init__(self, pki, path):
        path.touch()
        self._file = path.open(encoding="ascii")
        self._secrets = {}
        self.contexts = {}
        for version in (TLS_1_2, TLS_1_3):
            self.contexts[version] = tls_context(pki, version)
            self.contexts[version].keylog_filename = str(path)
        self.contexts[TLS_1_2].set_ciphers(SUITES_1_2)

    def take(self, client_random):
        """The secrets of the connection by their labels, once."""
        for line in self._file:
            if line.startswith("#"):
                continue
            label, of, secret = line.split()
            self._secrets.setdefault(of, {})[label] = bytes.fromhex(secret)
        return self._secrets.pop(client_random.hex())


class KeyedClient(TlsClient):
    """Sends nothing itself: a caller sends what hello and flight say, as it likes.

    hello   the ClientHello's record
    flight  once take() has been true: the messages that end the handshake, as (keys, kind, content)
    keys    those behind them
    """

    def __init__(self, log, version, host):
        super().__init__(log.contexts[version], host)
        self.log, self.version = log, version
        self.flight = []
        self.keys = None
        self._received = b""
        self.shake()
        self.hello = self.to_send()

    def take(self, received):
        """Whether the server's flight is complete; ssl.SSLError if the handshake has failed."""
        self._received += received
        self.receive(received)
        self.shake()
        flight = self.to_send()
        if not flight:
            return False
        secrets = self.log.take(self.hello[RANDOM])
        if self.version == TLS_1_3:
            suite = self.suite()
            keys = Keys(suite, secrets["CLIENT_HANDSHAKE_TRAFFIC_SECRET"])
            self.keys = Keys(suite, secrets["CLIENT_TRAFFIC_SECRET_0"])
        else:
            block = expand_1_2(secrets["CLIENT_RANDOM"], b"key expansion",
                               self._received[RANDOM] + self.hello[RANDOM], 40)
            keys = self.keys = Keys12(block[:16], block[32:36])
        self.flight = list(self._open(flight, keys))
        keys.sequence = 0
        return True

    def _open(self, flight, keys):
        is_sealed = False
        for kind, version, content in records_of(flight):
            if is_sealed:
                yield keys, *keys.open(kind, version, content)
            else:
                yield Clear, kind, content
            is_sealed |= kind == CHANGE_CIPHER_SPEC

    def shake_keyed(self, connection):
        """Up to the server's flight, which it reads and does not answer."""
        connection.sendall(self.hello)
        while not self.take(connection.recv(65536)):
            pass

    def seal_flight(self):
        return b"".join(keys.seal(kind, content) for keys, kind, content in self.flight)
