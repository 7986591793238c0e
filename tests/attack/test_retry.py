# SPDX-License-Identifier: MIT
"""A HelloRetryRequest, and another name in the second ClientHello: only the second one counts."""

import ctypes
import ctypes.util
import socket

import pytest

from client import POLICY_PATH, parse_answer
from namespace import FETCHER
from target import BODY, HOST, PATIENCE_S, Target, nothing_lost

OTHER = "reports.example.net"
SERVER_HELLO, HANDSHAKE = 2, 22
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
MESSAGE_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_void_p,
                                    ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p)
SET_HOST_NAME, SET_GROUPS_LIST = 55, 92  # commands of SSL_ctrl()
LIBSSL = ctypes.CDLL(ctypes.util.find_library("ssl"))
for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
    getattr(LIBSSL, name).restype = ctypes.c_void_p


@pytest.fixture(name="target", scope="module")
def target_with_a_report_host(pki, tmp_path_factory):
    with Target(tmp_path_factory.mktemp("daemon"), pki, report_host=OTHER) as target:
        for _ in range(8):
            target.fetch()
        with nothing_lost(target):
            yield target


class RetryClient:
    """Python's ssl cannot change its mind about the name, libssl can."""

    def __init__(self, connection, first, second):
        self.n_retries = 0
        self._connection = connection
        self._context = ctypes.c_void_p(LIBSSL.SSL_CTX_new(
            ctypes.c_void_p(LIBSSL.TLS_client_method())))
        self._ssl = ctypes.c_void_p(LIBSSL.SSL_new(self._context))
        self._second = second.encode()
        self._callback = MESSAGE_CALLBACK(self._on_message)
        LIBSSL.SSL_set_msg_callback(self._ssl, self._callback)
        # It offers a share of the first alone, which the server does not take.
        LIBSSL.SSL_ctrl(self._ssl, SET_GROUPS_LIST, 0, b"P-384:X25519")
        LIBSSL.SSL_ctrl(self._ssl, SET_HOST_NAME, 0, first.encode())
        LIBSSL.SSL_set_fd(self._ssl, connection.fileno())

    def _on_message(self, is_ours, _version, kind, data, length, _ssl, _context):
        if is_ours or kind != HANDSHAKE or length < 38:
            return
        message = ctypes.string_at(data, length)
        if message[0] == SERVER_HELLO and message[6:38] == RETRY:
            self.n_retries += 1
            LIBSSL.SSL_ctrl(self._ssl, SET_HOST_NAME, 0, self._second)

    def shake(self):
        return LIBSSL.SSL_connect(self._ssl) == 1

    def exchange(self, sent):
        """Sends, as far as it is taken, and reads to the end."""
        for at in range(0, len(sent), 16384):
            piece = sent[at:at + 16384]
            if LIBSSL.SSL_write(self._ssl, piece, len(piece)) <= 0:
                break
        buffer, received = ctypes.create_string_buffer(65536), b""
        while (length := LIBSSL.SSL_read(self._ssl, buffer, len(buffer))) > 0:
            received += buffer.raw[:length]
        return received

    def close(self):
        LIBSSL.SSL_free(self._ssl)
        LIBSSL.SSL_CTX_free(self._context)
        self._connection.close()


@pytest.fixture(name="shake")
def handshake_with_two_names(target):
    clients = []

    def shake(first, second):
        connection = socket.create_connection(target.address, PATIENCE_S, (FETCHER, 0))
        connection.settimeout(None)  # libssl reads by itself, from a socket that waits
        clients.append(RetryClient(connection, first, second))
        is_through = clients[-1].shake()
        assert clients[-1].n_retries == 1
        return clients[-1] if is_through else None

    yield shake
    for client in clients:
        client.close()


def post(host, size):
    return (f"POST {POLICY_PATH} HTTP/1.1\r\nHost: {host}\r\n"
            f"Content-Length: {size}\r\n\r\n").encode() + bytes(size)


@pytest.mark.parametrize("first, second, status", [
    (HOST, HOST, 413), (OTHER, HOST, 413), (OTHER, OTHER, 404), (HOST, OTHER, 404)])
def test_body_limit_is_that_of_the_last_name(shake, first, second, status):
    """100 kB are too many for a policy host, and not for the host that reports are sent to."""
    answer = shake(first, second).exchange(post(second, 100_000))
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:100]


def test_policy_of_the_last_name(shake):
    sent = f"GET {POLICY_PATH} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    assert parse_answer(shake(OTHER, HOST).exchange(sent)).body == BODY
    assert shake(HOST, OTHER).exchange(sent).startswith(b"HTTP/1.1 421 ")


def test_unknown_name_after_a_known_one(shake):
    assert shake(HOST, "mta-sts.example.net") is None
