# SPDX-License-Identifier: MIT
"""Requests made to be read in two ways, too large, or cut where buffers end: one answer or none."""

import random
import time

import pytest

from client import POLICY_PATH, parse_answer, read_all, request
from target import BODY, HOST, eventually
from wire import TlsClient, read_to_end, send_all_it_takes

SMUGGLED = request(HOST, path="/smuggled")
GET = f"GET {POLICY_PATH} HTTP/1.1\r\n"
POST = f"POST {POLICY_PATH} HTTP/1.1\r\n"
TO_HOST = f"Host: {HOST}\r\n"
TE = "Transfer-Encoding: chunked\r\n"
POSTED, GOT = POST + TO_HOST, GET + TO_HOST
CHUNKS = "5\r\nhello\r\n0\r\n\r\n"
LONG = "a" * 70000

# what is refused, its head (the empty line is added) and body, the answer
SHAPES = [
    ("CL and TE", POSTED + "Content-Length: 5\r\n" + TE, CHUNKS, 400),
    ("TE and CL", POSTED + TE + "Content-Length: 5\r\n", CHUNKS, 400),
    ("GET with CL and TE", GOT + "Content-Length: 0\r\n" + TE, CHUNKS, 400),
    ("TE and CL 0", POSTED + TE + "Content-Length: 0\r\n", CHUNKS, 400),
    ("TE twice", POSTED + TE * 2, CHUNKS, 400),
    ("TE x and TE", POSTED + "Transfer-Encoding: x\r\n" + TE, CHUNKS, 400),
    ("TE identity and TE", POSTED + "Transfer-Encoding: identity\r\n" + TE, CHUNKS, 400),
    ("TE identity", POSTED + "Transfer-Encoding: identity\r\n", CHUNKS, 400),
    ("TE list", POSTED + "Transfer-Encoding: gzip, chunked\r\n", CHUNKS, 400),
    ("TE xchunked", POSTED + "Transfer-Encoding: xchunked\r\n", CHUNKS, 400),
    ("TE quoted", POSTED + 'Transfer-Encoding: "chunked"\r\n', CHUNKS, 400),
    ("TE after a vertical tab", POSTED + "Transfer-Encoding: \x0bchunked\r\n", CHUNKS, 400),
    ("TE before a colon and a space", POSTED + "Transfer-Encoding : chunked\r\n", CHUNKS, 400),
    ("TE folded", POSTED + "Transfer-Encoding:\r\n chunked\r\n", CHUNKS, 400),
    ("TE on HTTP/1.0", POST.replace("1.1", "1.0") + TO_HOST + TE, CHUNKS, 400),
    ("CL twice, different", POSTED + "Content-Length: 5\r\nContent-Length: 6\r\n", "hello!", 400),
    ("CL twice, 0 first", POSTED + "Content-Length: 0\r\nContent-Length: 44\r\n", "", 400),
    ("CL twice, alike in value", POSTED + "Content-Length: 5\r\nContent-Length: 05\r\n", "hello",
     400),
    ("CL list", POSTED + "Content-Length: 5, 5\r\n", "hello", 400),
    ("CL with a sign", POSTED + "Content-Length: +5\r\n", "hello", 400),
    ("CL negative", POSTED + "Content-Length: -1\r\n", "hello", 400),
    ("CL hexadecimal", POSTED + "Content-Length: 0x5\r\n", "hello", 400),
    ("CL empty", POSTED + "Content-Length: \r\n", "hello", 400),
    ("CL beyond 64 bits", POSTED + "Content-Length: 18446744073709551617\r\n", "hello", 400),
    ("CL with spaces inside", POSTED + "Content-Length: 1 0\r\n", "hello", 400),
    ("CL too large", POSTED + "Content-Length: 65537\r\n", "", 413),
    ("CL at the end of 64 bits", POSTED + "Content-Length: 18446744073709551614\r\n", "", 400),
    ("bare LF after a field", GOT + "X: y\n", "", 400),
    ("bare LF after the request line", GET.replace("\r", "") + TO_HOST, "", 400),
    ("bare LF hides a field", GOT + "X: y\nContent-Length: 5\r\n", "hello", 400),
    ("bare CR in a field", GOT + "X: a\rb\r\n", "", 400),
    ("bare CR hides a field", GOT + "X: a\r" + TE, "", 400),
    ("folded line", GOT + "X: a\r\n b\r\n", "", 400),
    ("folded by a tab", GOT + "X: a\r\n\tb\r\n", "", 400),
    ("folded first line", GET + " X: a\r\n" + TO_HOST, "", 400),
    ("NUL in a value", GOT + "X: a\0b\r\n", "", 400),
    ("NUL in a name", GOT + "X\0: a\r\n", "", 400),
    ("NUL in the target", GET.replace("mta", "m\0a") + TO_HOST, "", 400),
    ("NUL in the Host", GET + f"Host: {HOST}\0.example\r\n", "", 400),
    ("space before the colon", GET + f"Host : {HOST}\r\n", "", 400),
    ("no name", GOT + ": x\r\n", "", 400),
    ("no colon", GOT + "x\r\n", "", 400),
    ("two Hosts", GOT * 2, "", 400),
    ("two Hosts, ours last", GET + "Host: other.example\r\n" + TO_HOST, "", 400),
    ("two Hosts, ours first", GOT + "Host: other.example\r\n", "", 400),
    ("no Host", GET, "", 400),
    ("Host is an address", GET + "Host: 192.0.2.1\r\n", "", 400),
    ("Host with a list", GET + f"Host: {HOST}, other.example\r\n", "", 400),
    ("Host with a user", GET + f"Host: x@{HOST}\r\n", "", 400),
    ("another Host", GET + "Host: other.example\r\n", "", 421),
    ("X-Forwarded-Host does nothing",
     GET + f"Host: other.example\r\nX-Forwarded-Host: {HOST}\r\n", "", 421),
    ("absolute form for another", GET.replace("/.", "https://other.example/.") + TO_HOST, "", 400),
    ("absolute form of a user", GET.replace("/.", f"https://x@{HOST}/.") + TO_HOST, "", 400),
    ("absolute form of ftp", GET.replace("/.", f"ftp://{HOST}/.") + TO_HOST, "", 404),
    ("asterisk", f"OPTIONS * HTTP/1.1\r\n{TO_HOST}", "", 404),
    ("authority form", f"CONNECT {HOST}:443 HTTP/1.1\r\n{TO_HOST}", "", 404),
    ("HTTP/2.0", GET.replace("1.1", "2.0") + TO_HOST, "", 400),
    ("HTTP/1.10", GET.replace("1.1", "1.10") + TO_HOST, "", 400),
    ("no version", f"GET {POLICY_PATH}\r\n", "", 400),
    ("no method", f" {POLICY_PATH} HTTP/1.1\r\n{TO_HOST}", "", 405),
    ("PRI", "PRI * HTTP/2.0\r\n", "SM\r\n\r\n" + "\0\0\0\4\0\0\0\0\0", 400),
    ("101 headers", GOT + "X: y\r\n" * 100, "", 400),
    ("4,000 headers", GOT + "X: y\r\n" * 4000, "", 400),
    ("a wrong Expect", POSTED + "Expect: 200-ok\r\nContent-Length: 5\r\n", "hello", 417),
    ("a body for a GET", GOT + "Content-Length: 65537\r\n", "", 413),
    ("chunks in excess", POSTED + TE,
     "11170\r\n" + LONG + "\r\n0\r\n\r\n", 413),
    ("a chunk's size is no number", POSTED + TE, "zz\r\n", 400),
    ("a chunk's size beyond 64 bits", POSTED + TE,
     "fffffffffffffffff\r\n", 400),
]


def count_answers(received):
    return received.count(b"HTTP/1.1 ")


@pytest.mark.parametrize("head, body, status", [shape[1:] for shape in SHAPES],
                         ids=[shape[0] for shape in SHAPES])
@pytest.mark.parametrize("follower", [b"", SMUGGLED], ids=["alone", "followed"])
def test_shape(target, head, body, status, follower):
    with target.connect_tls() as connection:
        send_all_it_takes(connection, (head + "\r\n" + body).encode("latin-1") + follower)
        received = read_to_end(connection)
    assert received.startswith(f"HTTP/1.1 {status} ".encode()), received[:200]
    assert count_answers(received) == 1


def test_preface_of_http_2_by_plain_connection(target):
    with target.connect_unix() as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0" * 20)
        received = read_to_end(connection)
    assert received.startswith(b"HTTP/1.1 400 ") and count_answers(received) == 1


def test_100_headers_are_taken(target):
    assert target.status_of((GOT + "X: y\r\n" * 99 + "\r\n").encode()) == 200


LARGE_HEADS = {"long value": "X: {}", "long name": "{}: a"}


@pytest.mark.parametrize("field", LARGE_HEADS.values(), ids=LARGE_HEADS.keys())
@pytest.mark.parametrize("size", [65_000, 66_000, 400_000, 5_000_000])
def test_large_heads(target, field, size):
    """Up to 64 kB are taken, more are refused before all of it is in."""
    sent = (GOT + field.format("a" * size) + "\r\n\r\n").encode()
    with target.fetched_meanwhile():
        for _ in range(5):
            with target.connect_tls() as connection:
                is_taken = send_all_it_takes(connection, sent)
                received = read_to_end(connection)
            if size < 65_536:
                assert parse_answer(received).body == BODY
            else: # the rest that was still under way may reset the connection
                assert received == b"" or received.startswith(b"HTTP/1.1 431 ")
                assert not is_taken or size < 1_000_000


@pytest.mark.parametrize("start", ["\nGET / HTTP/1.1\r\n", "GET / \r\n", "GET / H\r\n", "GET / \x01",
                                   "\r\n\r\n", "GET / HTTP/1.1\r\n\x01: ", "\r", "\r\nGET / HTTP/1.1\n"])
@pytest.mark.parametrize("is_plain", [False, True], ids=["TLS", "plain"])
def test_large_heads_that_begin_oddly(target, start, is_plain):
    """Whatever h2o would make of the beginning, it never waits for more than 64 kB."""
    connection = target.connect_unix() if is_plain else target.connect_tls()
    with connection:
        send_all_it_takes(connection, start.encode())
        time.sleep(0.01)
        for _ in range(50):
            if not send_all_it_takes(connection, b"X: " + b"a" * 8000 + b"\r\n"):
                break
        else:
            received = read_to_end(connection, 2)
            assert received[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 431"), received[:100]


@pytest.mark.parametrize("end", ["", "\r\n\r\n"])
def test_answer_to_a_large_head(target, end):
    """By a peer that sends no more than it has to, so that nothing resets its connection."""
    before = target.metric('http_requests_total{code="431"}')
    sent = (GOT + "X: " + "a" * (65_537 - len(GOT) - 3 - len(end)) + end).encode()
    answer = parse_answer(target.ask(sent))
    assert answer.status == 431 and len(answer.body) == int(answer.header("content-length"))
    assert target.metric('http_requests_total{code="431"}') == before + 1


def test_chunk_size_in_doubt(target):
    """h2o takes 0x5 for 0: what follows must not be another request, of whomever."""
    with target.connect_unix() as connection:
        connection.sendall((POSTED + TE + "\r\n0x5\r\n\r\n").encode() + SMUGGLED)
        received = read_to_end(connection)
    assert count_answers(received) == 1


@pytest.mark.parametrize("blanks", [" ", "\t", " \t  "])
def test_blanks_behind_the_host(target, blanks):
    assert target.status_of(f"{GET}Host:{blanks}{HOST}{blanks}\r\n\r\n".encode()) == 200


@pytest.mark.parametrize("size", [4096, 8192, 16384, 32768, 65536])
@pytest.mark.parametrize("off_by", [-1, 0, 1])
@pytest.mark.parametrize("with_finished", [False, True])
def test_read_that_fills_a_buffer(target, size, off_by, with_finished):
    """So many bytes of TLS, then a pause (h2o.md, U6)."""
    connection = target.connect()
    client = TlsClient(target.context, HOST)
    flight = client.shake_with(connection)
    if not with_finished:
        connection.sendall(flight)
        flight = b""
    padding = "\r\n".join("X: " + "a" * 1000 for _ in range(64))
    wire = flight + client.encrypt((GOT + padding + "\r\n\r\n").encode())
    connection.sendall(wire[:size + off_by])
    time.sleep(0.05)
    connection.sendall(wire[size + off_by:])
    assert len(read_to_end(connection)) > len(BODY)
    connection.close()


@pytest.mark.parametrize("size", [4096, 8192, 16384])
def test_request_that_fills_a_buffer(target, size):
    """So many bytes of HTTP, in one record."""
    start = (GOT + "X: ").encode()
    for length in (size - 1, size, size + 1):
        assert target.status_of(start + b"a" * (length - len(start) - 4) + b"\r\n\r\n") == 200


def test_request_cut_everywhere(target):
    """Each byte in a record of its own, and each pair of records cut in two."""
    sent = (GOT + "Content-Length: 5\r\n\r\nhello").encode()
    with target.connect_tls() as connection:
        for i in range(len(sent)):
            connection.sendall(sent[i:i + 1])
        assert parse_answer(read_all(connection)).status == 200
    for cut in range(1, len(sent)):
        with target.connect_tls() as connection:
            connection.sendall(sent[:cut])
            connection.sendall(sent[cut:])
            assert parse_answer(read_all(connection)).status == 200


def test_pipelined_requests_are_not_read(target):
    with target.connect_tls() as connection:
        send_all_it_takes(connection, request(HOST) * 2000)
        received = read_to_end(connection)
    assert count_answers(received) <= 1


def test_pipelined_requests_without_reading_on_a_kept_connection(target):
    """A proxy that has gone mad: its requests are no longer read, then its time is over.

    h2o reads on as long as it finds the socket full, so a fast peer gets rid of megabytes at once.
    """
    n_before, resident_kib = target.ended("answer_deadline"), target.resident_kib()
    connection = target.connect_unix()
    connection.settimeout(1)
    with target.fetched_meanwhile():
        assert not send_all_it_takes(connection, request(HOST) * 1_000_000)
        assert target.resident_kib() < resident_kib + 64 * 1024
        eventually(lambda: target.ended("answer_deadline") > n_before, "its end")
    connection.close()


def test_random_bytes(target):
    """Not TLS, and not HTTP inside of TLS."""
    source = random.Random(3)
    with target.fetched_meanwhile():
        for _ in range(100):
            with target.connect() as connection:
                send_all_it_takes(connection, source.randbytes(2000))
                read_to_end(connection)
            with target.connect_tls() as connection:
                send_all_it_takes(connection, source.randbytes(2000) + b"\r\n\r\n")
                assert read_to_end(connection)[:13] in (b"", b"HTTP/1.1 400 ")
