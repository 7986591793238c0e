# SPDX-License-Identifier: MIT
"""MX hosts that do what they are told, one behaviour at each address, and the records they need."""

import collections
import contextlib
import hashlib
import itertools
import selectors
import socket
import ssl
import threading
import warnings

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from processes import running

BAD_NAME = "nobody.example"
_ports = itertools.count(41000)


class Mx:
    """A host: what stands in DNS, and how it answers.

    kind     fault of its certificate (certificates.py)
    lines    its records instead of an A record for each address; {host}, {label}
    tlsa     "3 1 1 own", "2 1 1 issuer", "3 1 1 other": what the digest is of
    offers   what the reply to EHLO has beside the name
    sni      what it does if a name is asked for in the handshake, or none: "refuses name",
             "refuses no name", "other without name"
    script   function(connection, host, wait) instead of all that
    certificate  the name in it, if not that of the host
    last_kind    fault of the certificate at the last address, if not that at the others
    ciphers      of TLS 1.2, preferred in this order; dh_bits: the size of its Diffie-Hellman group
    gnutls       priorities of a gnutls-serv that shakes hands instead, at a port of its own
    """

    def __init__(self, label, *addresses, zone="mail.example", kind=None, lines=None, tlsa=(),
                 greeting="220 {host} ESMTP", offers=("SIZE 1000000", "STARTTLS"),
                 starttls="220 go ahead", versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
                 sni=None, script=None, certificate=None, last_kind=None, ciphers=None,
                 dh_bits=None, gnutls=None):
        self.label, self.zone, self.addresses = label, zone, addresses
        self.host = f"{label}.{zone}"
        self.kind, self.tlsa, self.sni, self.script = kind, tlsa, sni, script
        self.greeting, self.offers, self.starttls = greeting, offers, starttls
        self.versions = versions
        self.lines = lines if lines is not None else [
            f"{label} {'AAAA' if ':' in address else 'A'} {address}" for address in addresses]
        self.certificate = certificate or self.host
        self.last_kind, self.ciphers, self.dh_bits = last_kind, ciphers, dh_bits
        self.gnutls, self.gnutls_port = gnutls, next(_ports)
        self.context = self.last_context = self.chain = self.key = None

    def prepare(self, certificates):
        """Makes the certificate; the TLSA records follow from it."""
        self.chain, self.key = chain, key = certificates.make_host(self.certificate, self.kind)
        self.context = self.last_context = self.make_context(chain, key)
        if self.dh_bits:
            self.context.load_dh_params(certificates.make_group(self.dh_bits))
        if self.last_kind:
            self.last_context = self.make_context(
                *certificates.make_host(self.certificate, self.last_kind))
        if self.sni:
            self.context.sni_callback = self._on_name
            self.context.other = self.make_context(*certificates.make_host(BAD_NAME))
        return [f"_25._tcp.{self.label} TLSA {self.record_data(each, chain)}" for each in self.tlsa]

    def make_context(self, chain, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers(f"{self.ciphers or 'DEFAULT'}:@SECLEVEL=0")
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning) # of TLS 1.0
            context.minimum_version, context.maximum_version = self.versions
        context.load_cert_chain(chain, key)
        return context

    def _on_name(self, connection, name, _):
        if (self.sni == "refuses name" and name) or (self.sni == "refuses no name" and not name):
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        if self.sni == "other without name" and not name:
            connection.context = self.context.other
        return None

    @staticmethod
    def record_data(text, chain):
        """The data of a TLSA record, of what has been said."""
        numbers, whose = text.rsplit(" ", 1)
        digest = {"1": hashlib.sha256, "2": hashlib.sha512}[numbers[-1]]
        if whose == "other":
            return f"{numbers} {digest(b'other').hexdigest()}"
        end = b"-----END CERTIFICATE-----"
        certificate = x509.load_pem_x509_certificate(
            chain.read_bytes().split(end)[{"own": 0, "issuer": 1}[whose]] + end)
        octets = certificate.public_bytes(Encoding.DER) if numbers[2] == "0" else \
            certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"{numbers} {digest(octets).hexdigest()}"

    def gnutls_serving(self):
        def is_ready():
            socket.create_connection(("127.0.0.1", self.gnutls_port)).close()
            return True
        return running("gnutls-serv", "--echo", "--quiet", "--port", self.gnutls_port,
                       "--priority", self.gnutls, "--x509certfile", self.chain,
                       "--x509keyfile", self.key, log=self.chain.parent / "gnutls-serv.log",
                       is_ready=is_ready, status=1)

    def answer(self, connection, wait):
        if self.script:
            self.script(connection, self.host, wait)
            return
        say(connection, self.greeting.format(host=self.host))
        while (command := hear(connection)) is not None:
            if command.startswith("EHLO"):
                names = [self.host, *self.offers]
                say(connection, *(f"250-{name}" for name in names[:-1]), f"250 {names[-1]}")
            elif command == "STARTTLS":
                say(connection, self.starttls)
                if self.starttls.startswith("220") and self.gnutls:
                    relay(connection, ("127.0.0.1", self.gnutls_port))
                    return
                if self.starttls.startswith("220"):
                    is_last = connection.getsockname()[0] == self.addresses[-1]
                    context = self.last_context if is_last else self.context
                    connection = context.wrap_socket(connection, server_side=True)
            elif command == "DATA":
                say(connection, "354 go ahead")
                while hear(connection) not in (".", None):
                    pass
                say(connection, "250 taken")
            elif command == "QUIT":
                say(connection, "221 bye")
                return
            else:
                say(connection, "250 yes" if command[:4] in ("MAIL", "RCPT", "RSET") else "502 no")


def relay(connection, address):
    """Octets both ways, until one side has ended."""
    with socket.create_connection(address) as other, selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, connection)
        while True:
            for key, _ in selector.select():
                octets = key.fileobj.recv(4096)
                if not octets:
                    return
                key.data.sendall(octets)


def say(connection, *lines):
    connection.sendall("".join(line + "\r\n" for line in lines).encode())


def hear(connection):
    """The next line; None at the end."""
    line = b""
    while not line.endswith(b"\r\n"):
        octet = connection.recv(1)
        if not octet:
            return None
        line += octet
    return line.decode().rstrip()


class MailServers:
    """All of them, on port 25 of their addresses."""

    def __init__(self, hosts):
        self.selector = selectors.DefaultSelector()
        self.hosts = hosts
        self.has_ended = threading.Event()
        self._lock = threading.Lock()
        self.n_connections = collections.Counter()  # by host, since the beginning
        self._n_now = collections.Counter()
        self.n_most = collections.Counter()  # by host, at a time

    @contextlib.contextmanager
    def serving(self):
        with contextlib.ExitStack() as stack:
            for host in self.hosts:
                if host.gnutls:
                    stack.enter_context(host.gnutls_serving())
                for address in host.addresses:
                    family = socket.AF_INET6 if ":" in address else socket.AF_INET
                    listener = socket.create_server((address, 25), family=family, backlog=64)
                    stack.enter_context(listener)
                    self.selector.register(listener, selectors.EVENT_READ, host)
            thread = threading.Thread(target=self._accept, daemon=True)
            thread.start()
            yield self
            self.has_ended.set()
            thread.join(5)

    def _accept(self):
        while not self.has_ended.is_set():
            for key, _ in self.selector.select(0.1):
                connection, _ = key.fileobj.accept()
                threading.Thread(target=self._answer, args=(key.data, connection),
                                 daemon=True).start()

    def _count(self, host, change):
        with self._lock:
            self._n_now[host.host] += change
            self.n_most[host.host] = max(self.n_most[host.host], self._n_now[host.host])
            self.n_connections[host.host] += change > 0

    def _answer(self, host, connection):
        self._count(host, 1)
        with contextlib.suppress(OSError), connection:
            host.answer(connection, self.has_ended.wait)
        self._count(host, -1)


def silent(connection, *_):
    hear(connection)


def dribbling(connection, _, wait):
    """An octet now and then of a greeting that never ends."""
    while not wait(0.05):
        connection.sendall(b"2")


def endless(connection, host, wait):
    """A greeting without a last line."""
    while not wait(0):
        say(connection, *[f"220-{host}"] * 50)


def other_protocol(connection, *_):
    say(connection, "SSH-2.0-OpenSSH_9.2p1 Debian-2")
    hear(connection)


def injecting(connection, host, _):
    """Someone in between who adds what is to be taken for the reply to a command inside TLS."""
    say(connection, f"220 {host}")
    hear(connection)
    say(connection, f"250-{host}", "250 STARTTLS")
    hear(connection)
    say(connection, "220 go ahead", "250 injected")
    hear(connection)


def in_clear(connection, host, _):
    """Says yes to STARTTLS and goes on in clear."""
    say(connection, f"220 {host}")
    hear(connection)
    say(connection, f"250-{host}", "250 STARTTLS")
    hear(connection)
    say(connection, "220 go ahead")
    connection.recv(4096)
    say(connection, "500 what?")
