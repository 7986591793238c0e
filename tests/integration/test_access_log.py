# SPDX-License-Identifier: MIT
"""The access log: a line a request, in two formats, that no peer can forge or colour."""

import json
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import time
import unicodedata

import pytest

from client import (POLICY_PATH, connect, exchange, fetch, policy_body, read_all,
                    request, tls_context)
from daemon import PATIENCE_S, configuration
from operated import wait_until

HOST = "mta-sts.example.com"
BODY = policy_body("mx.example.com")
TIME = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ"
REFUSALS_PER_SECOND = 5


def settings_of(pki, access):
    return configuration(
        pki, {"example.com": {"mx": ["mx.example.com"]}}, log={"access": access},
        listen=[{"address": "127.0.0.1:0"}, {"address": "127.0.0.2:0", "tls": False}])


@pytest.mark.parametrize("options, status, length, quoted", [
    ({}, 200, len(BODY), "'GET' '/.well-known/mta-sts.txt'"),
    ({"method": "HEAD"}, 200, 0, "'HEAD' '/.well-known/mta-sts.txt'"),
    ({"path": "/other?a"}, 404, 23, "'GET' '/other?a'"),
    ({"method": "PUT"}, 405, 44, "'PUT' '/.well-known/mta-sts.txt'"),
])
def test_text(serve, pki, options, status, length, quoted):
    daemon = serve(settings_of(pki, "text"))
    fetch(daemon.address, HOST, tls_context(pki), headers=["User-Agent: Sender/1"], **options)
    line = daemon.access.wait_for("")
    assert re.fullmatch(rf"{TIME} 127\.0\.0\.1:\d+ '{HOST}' {re.escape(quoted)} "
                        rf"{status} {length} TLSv1\.3 'Sender/1'", line)


def test_json(serve, pki):
    daemon = serve(settings_of(pki, "json"))
    fetch(daemon.address, HOST, tls_context(pki), headers=["User-Agent: Sender/1"])
    entry = json.loads(daemon.access.wait_for(""))
    assert re.fullmatch(TIME, entry.pop("time"))
    assert re.fullmatch(r"127\.0\.0\.1:\d+", entry.pop("peer"))
    assert entry == {"server": HOST, "method": "GET", "path": POLICY_PATH, "status": 200,
                     "bytes": len(BODY), "tls": "TLSv1.3", "agent": "Sender/1"}


def test_off(serve, pki):
    daemon = serve(settings_of(pki, "off"))
    fetch(daemon.address, HOST, tls_context(pki))
    daemon.stop()
    assert daemon.access.read_to_end() == ""


def test_peer_on_a_plain_listener(serve, pki):
    daemon = serve(settings_of(pki, "json"))
    exchange(connect(daemon.addresses[1]), request("MTA-STS.example.com:80"))
    entry = json.loads(daemon.access.wait_for(""))
    assert (entry["server"], entry["tls"], entry["agent"]) == ("MTA-STS.example.com:80", None, "")


def test_no_line_is_lost_at_the_end(serve, pki):
    daemon = serve(settings_of(pki, "text"))
    for i in range(50):
        fetch(daemon.address, HOST, tls_context(pki), path=f"/{i}")
    daemon.stop()
    lines = daemon.access.read_to_end().split("\n")
    assert sorted(int(re.search(r"'/(\d+)'", line)[1]) for line in lines) == list(range(50))


HOSTILE = [
    b"\x1b[31mred", b"\x1b]0;title\x07", b"\x9b31m", b"\xc2\x9b31m", b"\r2026 forged",
    b"\x0bforged", b"\x7f\x08\x08", b"' 200 0 TLSv1.3 '", b'", "status": 200, "x": "', b"\\",
    b"\xff\xfe", b"\xe2\x80\xae\xe2\x80\xa8", b"%0a%0d", b"a" * 5000, b"",
]


def lines_about_hostile_peers(daemon):
    """The log of three requests with each text, in a header, in the path and in the method."""
    start = b"GET / HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\nUser-Agent: "
    requests = [sent for text in HOSTILE for sent in (
        start + text, b"GET /" + text + b" HTTP/1.0", text + b" / HTTP/1.0")]
    for sent in requests:
        with connect(daemon.addresses[1]) as connection:
            connection.sendall(sent + b"\r\n\r\n")
            read_all(connection)
    daemon.stop()
    lines = daemon.access.read_to_end().split("\n")
    assert len(HOSTILE) <= len(lines) <= len(requests)
    return lines


def test_hostile_text(serve, pki):
    text = r"'([^'\\]|\\.)*'"
    for line in lines_about_hostile_peers(serve(settings_of(pki, "text"))):
        assert re.fullmatch(rf"{TIME} \S+ {text} {text} {text} \d+ \d+ plain {text}", line)
        assert line.isascii() and line.isprintable()


def test_hostile_json(serve, pki):
    for line in lines_about_hostile_peers(serve(settings_of(pki, "json"))):
        entry = json.loads(line)
        assert list(entry) == ["time", "peer", "server", "method", "path", "status", "bytes", "tls",
                               "agent"]
        assert isinstance(entry["status"], int)
        assert not [character for character in line if unicodedata.category(character) == "Cc"]


def s_client(daemon, name):
    host, port = daemon.address
    subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", name],
                   stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S, check=False)


@pytest.mark.parametrize("name, shown", [
    (b"\x1b[31mred", r"'\\x1b\[31mred'"),
    (b"a'\r\nmta-stsd: info: forged", r"'a\\'\\x0d\\x0amta-stsd: info: forged'"),
    (b"b\xc3\xbccher.example", r"'b\\xc3\\xbccher\.example'"),
    (b"a" * 255, r"'a+\.\.\.'"),
], ids=["escape", "newline", "umlaut", "long"])
def test_hostile_sni(serve, pki, name, shown):
    daemon = serve(settings_of(pki, "off"))
    s_client(daemon, name)
    daemon.log.wait_for(r"^mta-stsd: info: handshake from 127\.0\.0\.1:\d+ refused: "
                        rf"the name {shown} is not served here$")


def client_hello(name):
    to_send = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        tls_context().wrap_bio(ssl.MemoryBIO(), to_send, server_hostname=name).do_handshake()
    return to_send.read()


def reset_before_the_accept(daemon, sent):
    """To each listener its bytes and an RST, while the daemon sleeps."""
    daemon.send_signal(signal.SIGSTOP)
    os.waitpid(daemon.process.pid, os.WUNTRACED)
    for address, data in zip(daemon.addresses, sent):
        connection = connect(address)
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    daemon.send_signal(signal.SIGCONT)


def test_peer_that_the_kernel_knows_no_more(serve, pki):
    """Its bytes are read and answered all the same; it must not pass for a unix socket."""
    daemon = serve(settings_of(pki, "text"))
    reset_before_the_accept(daemon, [client_hello("mta-sts.x.example"), request(HOST)])
    daemon.log.wait_for("handshake from a peer that has reset the connection refused: the name "
                        "'mta-sts.x.example' is not served here$")
    assert re.match(f"{TIME} unknown '{HOST}' 'GET' ", daemon.access.wait_for(""))


def count_refusals(daemon):
    """Those that have a line, and those that another one counts."""
    logged = daemon.log.find("refused: the name 'mta-sts.x.example'")
    summed = daemon.log.find("further refused connections and requests: ")
    return len(logged), sum(int(re.search(r"(\d+)$", line)[1]) for line in summed)


@pytest.mark.parametrize("is_stopped", [False, True], ids=["a second later", "at the end"])
def test_refusals_are_sampled(serve, pki, is_stopped):
    """Anyone can send any name: a few a second are logged; the others are counted, and soon."""
    daemon, sent = serve(settings_of(pki, "off")), client_hello("mta-sts.x.example")
    began_at = time.monotonic()
    connections = [connect(daemon.address) for _ in range(60)]
    for connection in connections:
        connection.sendall(sent)
    for connection in connections:
        read_all(connection)
        connection.close()
    if is_stopped:
        daemon.stop()
    wait_until(lambda: sum(count_refusals(daemon)) >= 60, "all of them are told")
    n_logged, n_counted = count_refusals(daemon)
    assert n_logged <= REFUSALS_PER_SECOND * (2 + int(time.monotonic() - began_at))
    assert n_logged + n_counted == 60
