# SPDX-License-Identifier: MIT
"""Handshakes that are not to succeed, and ClientHellos that no client sends."""

import os
import random
import socket
import ssl
import subprocess
import time

import pytest

from client import parse_answer, read_all, request, tls_context
from target import BODY, HOST, eventually
from wire import (APPLICATION_DATA, EARLY_DATA, client_hello, end_sending, extension,
                  read_to_end, record, send_all_it_takes, server_name, vector)

NAME = HOST.encode()
HANDSHAKE = b"\x16\x03\x03"
DIFFERENT_NAMES = 10_000


def answer_to(target, sent):
    """What the server says to bytes after which no more will come."""
    with target.connect() as connection:
        send_all_it_takes(connection, sent)
        end_sending(connection)
        return read_to_end(connection)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_nothing_resumes(target, pki, version):
    context = tls_context(pki, version)
    session = None
    for _ in range(5):
        with context.wrap_socket(target.connect(), server_hostname=HOST,
                                 session=session) as connection:
            connection.sendall(request(HOST))
            assert parse_answer(read_all(connection)).body == BODY
            assert not connection.session_reused
            session = connection.session
    assert session is not None


def s_client(address, *arguments, stdin=b""):
    host, port = address
    done = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", HOST,
                           *arguments], input=stdin, capture_output=True, timeout=60, check=False)
    return (done.stdout + done.stderr).decode(errors="replace")


def take_foreign_session(pki, session):
    """A session of a server that does take early data; ours gives none."""
    live = pki.folder / "live" / HOST
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = "%s:%d" % probe.getsockname()
    quiet = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(["openssl", "s_server", "-tls1_3", "-early_data", "-accept", address,
                           "-cert", live / "fullchain.pem", "-key", live / "privkey.pem"],
                          **quiet) as server:
        for _ in range(60):
            if session.exists():
                break
            with subprocess.Popen(["openssl", "s_client", "-connect", address, "-servername", HOST,
                                   "-sess_out", session], **quiet) as client:
                time.sleep(0.5)
                client.kill()
        server.kill()


def test_early_data_of_a_session(target, pki, tmp_path):
    session, early = tmp_path / "session", tmp_path / "early"
    early.write_bytes(request(HOST))
    take_foreign_session(pki, session)
    assert session.exists()
    said = s_client(target.address, "-tls1_3", "-sess_in", session, "-early_data", early,
                    "-ign_eof", stdin=request(HOST))
    assert "Early data was rejected" in said and "Reused" not in said
    assert BODY.decode().splitlines()[1] in said


def test_early_data_without_leave(target):
    """Announced by no ticket of ours, and sent on and on."""
    early = record(APPLICATION_DATA, bytes(16000)) * 60
    said = answer_to(target, client_hello(server_name(NAME), EARLY_DATA) + early)
    assert b"HTTP/1.1" not in said


def test_renegotiation(target):
    said = s_client(target.address, "-tls1_2", stdin=b"R\n" + request(HOST))
    assert "RENEGOTIATING" in said and "HTTP/1.1 200" not in said


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_old_version(target, version):
    context = tls_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion[version]
        context.maximum_version = ssl.TLSVersion[version]
    with target.connect() as connection, pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(connection, server_hostname=HOST)


UNRECOGNIZED_NAME, PROTOCOL_VERSION = 112, 70
UNKNOWN_NAMES = {
    "no name": client_hello(),
    "unknown name": client_hello(server_name(b"mta-sts.example.net")),
    "name of the domain": client_hello(server_name(b"example.com")),
    "name below ours": client_hello(server_name(b"x." + NAME)),
    "name of 255 bytes": client_hello(server_name(b"a" * 255)),
    "name in UTF-8": client_hello(server_name("mta-sts.bücher.example".encode())),
    "name not in UTF-8": client_hello(server_name(b"mta-sts.\xff\xfe.example")),
    "name with controls": client_hello(server_name(b"\x1b[2J\r\nmta-stsd: error: forged")),
    "name with a path": client_hello(server_name(b"../../etc/passwd")),
    "name is a variable": client_hello(server_name(b"{host}")),
    "IPv4 address": client_hello(server_name(b"192.0.2.1")),
    "IPv6 address": client_hello(server_name(b"2001:db8::1")),
}
OLD_VERSIONS = {
    "TLS 1.0": record(22, b"\x01" + vector(3, b"\x03\x01" + bytes(32) + b"\0\0\x02\0\x0a\x01\0")),
    "only TLS 1.1": client_hello(server_name(NAME), versions=[0x0302]),
    "only TLS 1.5": client_hello(server_name(NAME), versions=[0x0306]),
}
REFUSED = {
    "SSLv2": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(40),
    "SSLv3": record(22, b"\x01" + vector(3, b"\x03\x00" + bytes(32) + b"\0\0\x02\0\x0a\x01\0")),
    "no version": client_hello(server_name(NAME), versions=[0x0000]),
    "no suite": client_hello(server_name(NAME), suites=b""),
    "odd suites": client_hello(server_name(NAME), suites=b"\x13\x01\x13"),
    "weak suites": client_hello(server_name(NAME), suites=bytes.fromhex("000a002f0035c013c014"),
                                versions=[0x0303]),
    "empty name": client_hello(server_name(b"")),
    "no name in the list": client_hello(server_name()),
    "name with NUL": client_hello(server_name(NAME + b"\0.example.net")),
    "name ends in NUL": client_hello(server_name(NAME + b"\0")),
    "name of 256 bytes": client_hello(server_name(b"a" * 256)),
    "name of 60,000 bytes": client_hello(server_name(b"a." * 30_000)),
    "two names": client_hello(server_name(NAME, b"mta-sts.example.net")),
    "two lists": client_hello(server_name(NAME), server_name(NAME)),
    "list too long": client_hello(extension(0, b"\xff\xff\0" + vector(2, NAME))),
    "name too long": client_hello(extension(0, vector(2, b"\0\xff\xff" + NAME))),
    "extension cut": client_hello(b"\0\0\xff\xff"),
    "record of 0 bytes": record(22, b"") * 100,
    "record too large": b"\x16\x03\x01\xff\xff" + bytes(65535),
    "message too large": record(22, b"\x01\xff\xff\xff" + bytes(16000)) * 20,
    "alert first": record(21, b"\x01\x00") * 100,
    "Finished first": record(22, b"\x14" + vector(3, bytes(32))),
    "CCS first": record(20, b"\x01") * 100,
    "data first": record(APPLICATION_DATA, request(HOST)),
    "heartbeat": record(24, b"\x01\x40\x00"),
    "HTTP": request(HOST),
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "SMTP": b"EHLO example.net\r\nSTARTTLS\r\n",
    "PROXY": b"PROXY TCP4 203.0.113.1 203.0.113.2 1 2\r\n",
    "RDP": b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0",
    "many extensions": client_hello(*(extension(kind, bytes(20)) for kind in range(1000, 3000))),
    "an extension 3,000 times": client_hello(*[extension(65000, b"x")] * 3000),
    "key share of zeros": client_hello(server_name(NAME), extension(51, vector(2, b"\x00\x1d",
                                       vector(2, bytes(32))))),
}


def refused_with(target, sent):
    """What is said to a handshake that is refused, and that forges no line of the log."""
    n_lines = len(target.log.lines)
    said = answer_to(target, sent)
    assert not any("\x1b" in line or line.startswith("mta-stsd: error")
                   for line in target.log.lines[n_lines:])
    return said


@pytest.mark.parametrize("sent", REFUSED.values(), ids=REFUSED.keys())
def test_refused(target, sent):
    """h2o 2.2.5 sends no alert in the handshake, and only two kinds are sent in its stead."""
    said = refused_with(target, sent)
    assert said == b"" or is_alert(said, UNRECOGNIZED_NAME) or is_alert(said, PROTOCOL_VERSION)


def is_alert(said, description):
    """Whether one fatal alert was said, and nothing more."""
    return len(said) == 7 and said[:1] == b"\x15" and said[3:] == b"\0\x02\x02%c" % description


@pytest.mark.parametrize("sent", UNKNOWN_NAMES.values(), ids=UNKNOWN_NAMES.keys())
def test_unknown_name(target, sent):
    assert is_alert(refused_with(target, sent), UNRECOGNIZED_NAME)


@pytest.mark.parametrize("sent", OLD_VERSIONS.values(), ids=OLD_VERSIONS.keys())
def test_version_refused(target, sent):
    assert is_alert(refused_with(target, sent), PROTOCOL_VERSION)


def test_refused_without_reading(target):
    """Who reads no alert holds nobody up, and no connection is left of it."""
    held = []
    with target.fetched_meanwhile():
        for _ in range(200):
            connection = target.connect()
            connection.sendall(client_hello(server_name(b"mta-sts.example.net")))
            held.append(connection)
    eventually(lambda: target.metric("connections_open") == 0, "an end of all connections")
    for connection in held:
        connection.close()


@pytest.mark.parametrize("sent", [
    client_hello(server_name(NAME)), client_hello(server_name(NAME.upper())),
    client_hello(server_name(NAME + b".")),
    client_hello(server_name(NAME), extension(21, bytes(10_000)))],
    ids=["usual", "upper case", "final dot", "padded"])
def test_taken(target, sent):
    """What REFUSED is worth depends on these."""
    assert answer_to(target, sent).startswith(HANDSHAKE)


def test_hello_in_single_bytes(target):
    hello = client_hello(server_name(NAME))[5:]
    records = b"".join(record(22, hello[i:i + 1], b"\x03\x01") for i in range(len(hello)))
    assert answer_to(target, records).startswith(HANDSHAKE)


@pytest.mark.parametrize("protocols", [["h2"], ["h2", "http/1.1"], ["http/1.0"], ["x" * 255] * 100])
def test_never_http_2(target, pki, protocols):
    context = tls_context(pki, alpn=protocols)
    with target.connect_tls(context) as connection:
        assert connection.selected_alpn_protocol() in (None, "http/1.1")
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        assert read_to_end(connection).startswith(b"HTTP/1.1 400 ")


def test_different_names(target):
    """They cost nobody anything: no memory, no line of log each, no fetch."""
    n_lines, resident_kib = len(target.log.lines), target.resident_kib()
    n_before = target.metric('tls_handshakes_total{result="unknown_name"}')
    source = random.Random(6125)
    with target.fetched_meanwhile():
        for _ in range(DIFFERENT_NAMES):
            with target.connect() as connection:
                connection.sendall(client_hello(server_name(
                    f"mta-sts.{source.randbytes(8).hex()}.example".encode())))
                assert is_alert(read_to_end(connection), UNRECOGNIZED_NAME)
    assert target.metric('tls_handshakes_total{result="unknown_name"}') == \
        n_before + DIFFERENT_NAMES
    print(f"resident: {resident_kib} kB, then {target.resident_kib()} kB")
    assert target.resident_kib() < resident_kib + 32 * 1024
    assert len(target.log.lines) - n_lines < 200


def test_names_of_a_megabyte_of_hello(target):
    """A ClientHello of as many records as one likes is cut off at OpenSSL's limit of 128 kB."""
    with target.fetched_meanwhile():
        for _ in range(50):
            hello = b"\x01\x01\xff\xf0" + os.urandom(131_000)
            said = answer_to(target, b"".join(record(22, hello[i:i + 16000])
                                              for i in range(0, len(hello), 16000)))
            assert not said.startswith(HANDSHAKE)
