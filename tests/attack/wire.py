# SPDX-License-Identifier: MIT
"""Connections byte by byte: what no well-behaved client would send, and how none would end."""

import os
import socket
import ssl
import struct


class TlsClient:
    """A TLS client without a socket: what it has to send is bytes, to be cut, changed or kept."""

    def __init__(self, context, host):
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    def shake(self):
        """Whether the handshake is through, for our side."""
        try:
            self._tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False

    def shake_with(self, connection):
        """Returns the last flight; with TLS 1.3 it has our Finished and has not been sent."""
        while not self.shake():
            connection.sendall(self.to_send())
            self.receive(connection.recv(65536))
        return self.to_send()

    def to_send(self):
        return self._outgoing.read()

    def suite(self):
        return self._tls.cipher()[0]

    def receive(self, received):
        if not received:
            raise ConnectionResetError("closed in the handshake")
        self._incoming.write(received)

    def encrypt(self, data):
        self._tls.write(data)
        return self.to_send()

    def decrypt(self, received):
        """What of it can be read."""
        self._incoming.write(received)
        data = []
        try:
            while piece := self._tls.read(65536):
                data.append(piece)
        except ssl.SSLError:
            pass
        return b"".join(data)


def reset(connection):
    """Ends it by RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def read_to_end(connection, timeout_s=30):
    """Reads until the peer has closed, one way or the other; TimeoutError if it does not."""
    received = []
    connection.settimeout(timeout_s)
    try:
        while data := connection.recv(65536):
            received.append(data)
    except TimeoutError:
        raise
    except OSError:  # reset, or the end of TLS without close_notify
        pass
    return b"".join(received)


def send_all_it_takes(connection, data):
    """Sends; whether the peer took all of it before it closed."""
    try:
        connection.sendall(data)
        return True
    except OSError:
        return False


def end_sending(connection):
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError:  # the peer has reset it
        pass


def vector(length_size, *parts):
    content = b"".join(parts)
    return len(content).to_bytes(length_size, "big") + content


def extension(kind, *content):
    return kind.to_bytes(2, "big") + vector(2, *content)


def server_name(*names):
    return extension(0, vector(2, *(b"\0" + vector(2, name) for name in names)))


SUITES = bytes.fromhex("130113021303c02bc02fc02cc030cca9cca8")
EARLY_DATA = extension(42)
ALERT, APPLICATION_DATA = 21, 23
FATAL, CLOSE_NOTIFY = 2, 0


def record(kind, content, version=b"\x03\x03"):
    return bytes([kind]) + version + vector(2, content)


def alert(level, description):
    """In the clear, as it is before there are keys."""
    return record(ALERT, bytes([level, description]))


def client_hello(*extensions, versions=(0x0304, 0x0303), suites=SUITES, has_share=True):
    """A ClientHello of TLS 1.3, good but for its extensions: its key share is any 32 bytes.

    has_share  without a key share the server asks for another hello (HelloRetryRequest)
    """
    share = vector(2, b"\x00\x1d", vector(2, os.urandom(32))) if has_share else vector(2)
    usual = [
        extension(10, vector(2, b"\x00\x1d\x00\x17")),
        extension(11, vector(1, b"\x00")),
        extension(13, vector(2, bytes.fromhex("040308040805080604010501"))),
        extension(43, vector(1, *(version.to_bytes(2, "big") for version in versions))),
        extension(51, share),
    ]
    body = b"".join([min(versions[0], 0x0303).to_bytes(2, "big"), os.urandom(32),
                     vector(1, os.urandom(32)), vector(2, suites), vector(1, b"\0"),
                     vector(2, *extensions, *usual)])
    message = b"\x01" + vector(3, body)
    return b"".join(record(22, message[at:at + 16384], b"\x03\x01")
                    for at in range(0, len(message), 16384))
