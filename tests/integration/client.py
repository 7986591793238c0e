# SPDX-License-Identifier: MIT
"""A sender's side: TLS connections, requests as bytes, answers taken apart."""

import dataclasses
import hashlib
import socket
import ssl

from daemon import PATIENCE_S

POLICY_PATH = "/.well-known/mta-sts.txt"


@dataclasses.dataclass
class Answer:
    status: int
    headers: list  # (lower-case name, value), as sent
    body: bytes
    certificate: bytes = None  # DER; None: a plain connection

    def header(self, name):
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, f"{name} stands there {len(values)} times"
        return values[0] if values else None


def policy_body(*mx, mode="testing", max_age=604800):
    """What is to be served for a policy, said once more and independently (RFC 8461 3.2)."""
    lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {name}" for name in mx),
             f"max_age: {max_age}"]
    return "".join(line + "\r\n" for line in lines).encode()


def policy_id(body):
    return hashlib.sha256(body).hexdigest()[:32]


def tls_context(pki=None, version=None, alpn=None):
    """A client's context; without a pki it takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if pki:
        context.load_verify_locations(pki.ca)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = version
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def connect(address):
    """A TCP connection to (host, port), or one to the unix socket at a path."""
    if not isinstance(address, str):
        return socket.create_connection(address, PATIENCE_S)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE_S)
    connection.connect(address)
    return connection


def connect_tls(address, host, context):
    """host  the SNI, or None. An end without close_notify is an error when reading."""
    return context.wrap_socket(connect(address), server_hostname=host,
                               suppress_ragged_eofs=False)


def read_all(connection):
    """Reads until the peer has closed."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def parse_answer(received):
    head, _, body = received.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("ascii").split("\r\n")
    version, status, _ = status_line.split(" ", 2)
    assert version == "HTTP/1.1"
    headers = [tuple(line.split(": ", 1)) for line in lines]
    return Answer(int(status), [(name.lower(), value) for name, value in headers], body)


def request(host, path=POLICY_PATH, method="GET", headers=(), version="1.1"):
    """The bytes of a request. host  None: without a Host field."""
    lines = [f"{method} {path} HTTP/{version}", *([f"Host: {host}"] if host is not None else []),
             *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def exchange(connection, sent):
    """Sends bytes and reads the one answer, to the end of the connection."""
    with connection:
        connection.sendall(sent)
        received = read_all(connection)
        answer = parse_answer(received)
        if isinstance(connection, ssl.SSLSocket):
            answer.certificate = connection.getpeercert(binary_form=True)
    return answer


def fetch(address, host, context, **options):
    """Fetches a policy as a sender does: SNI and Host are the policy host."""
    return exchange(connect_tls(address, host, context), request(host, **options))
