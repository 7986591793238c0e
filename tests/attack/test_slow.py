# SPDX-License-Identifier: MIT
"""Peers that take their time: each phase has its end, and nobody else waits for them."""

import concurrent.futures
import select
import ssl
import threading
import time

from client import POLICY_PATH
from namespace import ATTACKERS
from target import HOST, eventually, flood
from wire import TlsClient, client_hello, read_to_end, send_all_it_takes, server_name

POST = f"POST {POLICY_PATH} HTTP/1.1\r\nHost: {HOST}\r\n"
CHUNKED = (POST + "Transfer-Encoding: chunked\r\n\r\n").encode()
DRIP_S = 0.2
ENDED_BY_S = 20


def is_ended(connection):
    """By the peer; what it has sent is thrown away."""
    try:
        while select.select([connection], [], [], 0)[0]:
            if not connection.recv(65536):
                return True
    except OSError:
        return True
    return False


def drip(connection, pieces):
    """Sends a piece at a time; returns how long the peer put up with it."""
    start = time.monotonic()
    for piece in pieces:
        time.sleep(DRIP_S)
        if is_ended(connection) or not send_all_it_takes(connection, piece):
            return time.monotonic() - start
        assert time.monotonic() - start < ENDED_BY_S, "the drip goes on"
    raise AssertionError("there are no more drops")


def byte_by_byte(data):
    return (data[i:i + 1] for i in range(len(data)))


def of_the_hello(target):
    connection = target.connect()
    return connection, byte_by_byte(client_hello(server_name(HOST.encode())))


def of_an_endless_hello(target):
    """Whole records, each with a byte of it."""
    connection = target.connect()
    hello = client_hello(server_name(HOST.encode()))[5:]
    return connection, (b"\x16\x03\x01\x00\x01" + byte for byte in byte_by_byte(hello))


def of_the_finished(target):
    connection = target.connect()
    flight = TlsClient(target.context, HOST).shake_with(connection)
    return connection, byte_by_byte(flight + bytes(100))


def through_tls(target, start, pieces):
    connection = target.connect()
    client = TlsClient(target.context, HOST)
    connection.sendall(client.shake_with(connection) + client.encrypt(start))
    return connection, (client.encrypt(piece) for piece in pieces)


def of_a_record(target):
    connection, wire = through_tls(target, b"GET", [bytes(1000)])
    return connection, byte_by_byte(next(wire))


def of_the_request_line(target):
    return through_tls(target, b"GET /", [b"a"] * 200)


def of_the_headers(target):
    return through_tls(target, f"GET / HTTP/1.1\r\nHost: {HOST}\r\n".encode(), [b"X: y\r\n"] * 90)


def of_the_body(target):
    return through_tls(target, (POST + "Content-Length: 60000\r\n\r\n").encode(), [b"a"] * 200)


def of_chunks(target):
    return through_tls(target, CHUNKED, [b"1\r\na\r\n"] * 200)


def of_a_chunk_extension(target):
    return through_tls(target, CHUNKED, [b"1;a"] + [b"a"] * 200)


def of_trailers(target):
    return through_tls(target, CHUNKED + b"0\r\n", [b"X: y\r\n"] * 200)


HANDSHAKE_DRIPS = [of_the_hello, of_an_endless_hello, of_the_finished]
REQUEST_DRIPS = [of_a_record, of_the_request_line, of_the_headers, of_the_body, of_chunks,
                 of_a_chunk_extension, of_trailers]


def test_drips(target):
    n_handshakes = target.ended("handshake_deadline")
    n_requests = target.ended("request_deadline")
    drips = HANDSHAKE_DRIPS + REQUEST_DRIPS

    def run(make):
        connection, pieces = make(target)
        with connection:
            return drip(connection, pieces)

    with target.fetched_meanwhile(), concurrent.futures.ThreadPoolExecutor(len(drips)) as pool:
        for make, seconds in zip(drips, pool.map(run, drips)):
            print(f"{make.__name__}: {seconds:.1f} s")
    assert target.ended("handshake_deadline") == n_handshakes + len(HANDSHAKE_DRIPS)
    assert target.ended("request_deadline") == n_requests + len(REQUEST_DRIPS)


def test_silence(target):
    """Nothing at all: before the handshake, after it, and after half of a request."""
    connections = [target.connect(), target.connect_tls(), target.connect_tls()]
    connections[2].sendall(b"GET")
    with target.fetched_meanwhile():
        for connection in connections:
            assert read_to_end(connection) == b""
            connection.close()


def test_endless_chunk_extension(target):
    """As fast as it goes: it costs time until its own is over, and no memory.

    That it is over is the server's to say: a peer whose window was shut may see no reset.
    """
    n_before, resident_kib = target.ended("request_deadline"), target.resident_kib()
    connections = [target.connect_tls() for _ in range(2)]

    def run(connection):
        connection.settimeout(1)
        connection.sendall(CHUNKED + b"1;")
        start = time.monotonic()
        while send_all_it_takes(connection, b"a" * 60_000):
            assert time.monotonic() < start + ENDED_BY_S

    threads = [threading.Thread(target=run, args=(connection,)) for connection in connections]
    with target.fetched_meanwhile():
        for thread in threads:
            thread.start()
        time.sleep(2)
        assert target.resident_kib() < resident_kib + 128 * 1024  # ASan included; it took in GiB
        eventually(lambda: target.ended("request_deadline") == n_before + 2, "both are ended",
                   ENDED_BY_S)
        for thread in threads:
            thread.join()
    for connection in connections:
        connection.close()


def test_slow_headers_from_1000_connections(target):
    with flood("slow-headers", target.address, 1000, 60, ATTACKERS):
        latencies = target.fetch_for(8)
    print(latencies)
    assert not latencies.failures and latencies.seconds


def test_10000_idle_connections(target):
    with flood("idle", target.address, 10_000, 60, ATTACKERS):
        latencies = target.fetch_for(8)
    print(latencies)
    assert not latencies.failures and latencies.seconds


def test_no_close_notify_and_half_closed(target):
    """A request, then the end of what is sent: it is answered, or ended, but not kept."""
    for _ in range(20):
        connection = target.connect_tls()
        connection.sendall(f"GET {POLICY_PATH} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        try:
            connection.unwrap()
        except (ssl.SSLError, OSError):
            pass
        connection.close()
