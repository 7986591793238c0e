# SPDX-License-Identifier: MIT
"""Where the daemon listens: IPv6, and without TLS behind a proxy, on TCP and on a unix socket."""

import itertools
import pathlib
import socket
import stat
import time

import pytest

from client import (connect, exchange, fetch, parse_answer, policy_body, read_all, request,
                    tls_context)
from daemon import Daemon, configuration

BODIES = {"mta-sts.example.com": policy_body("mx.example.com"),
          "mta-sts.example.org": policy_body("mx.example.org")}
DOMAINS = {"example.com": {"mx": ["mx.example.com"]}, "example.org": {"mx": ["mx.example.org"]}}
REQUESTS_MAX = 1000  # over one connection of a proxy
REQUEST_TIMEOUT_S = 5


@pytest.fixture(name="daemon", scope="module")
def serving_daemon(pki, tmp_path_factory):
    folder = tmp_path_factory.mktemp("daemon")
    listen = [{"address": "127.0.0.1:0", "tls": False},
              {"address": f"unix:{folder}/http.sock", "tls": False},
              {"address": f"unix:{folder}/https.sock"}]
    with Daemon(folder, configuration(pki, DOMAINS, listen=listen)) as daemon:
        yield daemon


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_ipv6(serve, pki):
    daemon = serve(configuration(pki, DOMAINS, listen=[{"address": "[::1]:0"}]))
    answer = fetch(daemon.address, "mta-sts.example.com", tls_context(pki))
    assert answer.body == BODIES["mta-sts.example.com"]


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_ipv6_wildcard_takes_ipv4(serve, pki):
    daemon = serve(configuration(pki, DOMAINS, listen=[{"address": "[::]:0"}]))
    _, port = daemon.address
    for address in ("127.0.0.1", "::1"):
        answer = fetch((address, port), "mta-sts.example.com", tls_context(pki))
        assert answer.body == BODIES["mta-sts.example.com"]


def test_no_listener_with_tls_needs_no_certificates(serve):
    daemon = serve({"user": "root", "admin": "off",
                    "listen": [{"address": "127.0.0.1:0", "tls": False}],
                    "domains": DOMAINS})
    answer = exchange(connect(daemon.address), request("mta-sts.example.com"))
    assert answer.body == BODIES["mta-sts.example.com"]
    assert not daemon.log.find("warning: (?!user: 'root')")


@pytest.mark.parametrize("listener", [0, 1], ids=["tcp", "unix"])
@pytest.mark.parametrize("host, headers, status", [
    ("mta-sts.example.com", [], 200),
    ("mta-sts.example.org", [], 200),
    ("MTA-STS.Example.Org.:80", [], 200),
    ("mta-sts.example.com", ["X-Forwarded-Host: mta-sts.example.org", "Forwarded: host=a"], 200),
    ("localhost", ["X-Forwarded-Host: mta-sts.example.com"], 404),
    ("mta-sts.unknown.example", [], 404),
    ("", [], 404),
    ("bad host", [], 400),
])
def test_host_decides_without_tls(daemon, listener, host, headers, status):
    connection = connect(daemon.addresses[listener])
    answer = exchange(connection, request(host, headers=[*headers, "Connection: close"]))
    assert answer.status == status
    if status == 200:
        assert answer.body == BODIES[host.lower().split(":")[0].rstrip(".")]


def test_http_1_0_without_host(daemon):
    answer = exchange(connect(daemon.addresses[0]), request(None, version="1.0"))
    assert answer.status == 404


def test_plain_tcp_closes_after_one_request(daemon):
    answer = exchange(connect(daemon.addresses[0]), request("mta-sts.example.com") * 2)
    assert answer.header("connection") == "close"
    assert answer.body == BODIES["mta-sts.example.com"]


def read_answers(connection):
    """Yields the answers on a connection that is kept alive, to its end."""
    received = b""
    while True:
        head, end, rest = received.partition(b"\r\n\r\n")
        answer = parse_answer(head + end) if end else None
        length = int(answer.header("content-length")) if answer else 0
        if answer and len(rest) >= length:
            answer.body, received = rest[:length], rest[length:]
            yield answer
            continue
        more = connection.recv(65536)
        if not more:
            assert received == b""
            return
        received += more


def request_in_turn(connection, hosts):
    """Sends a request after each answer, for one host after the other; yields the answers."""
    connection.sendall(request(hosts[0]))
    for n_answers, answer in enumerate(read_answers(connection), 1):
        yield answer
        if answer.header("connection") != "close":
            connection.sendall(request(hosts[n_answers % len(hosts)]))


def test_unix_socket_keeps_alive(daemon):
    with connect(daemon.addresses[1]) as connection:
        answers = list(itertools.islice(request_in_turn(connection, list(BODIES)),
                                        REQUESTS_MAX + 1))
    assert [answer.body for answer in answers] == list(BODIES.values()) * (REQUESTS_MAX // 2)
    assert {answer.header("connection") for answer in answers[:-1]} == {"keep-alive"}
    assert answers[-1].header("connection") == "close"


def test_unix_socket_closes_when_asked(daemon):
    answer = exchange(connect(daemon.addresses[1]),
                      request("mta-sts.example.com", headers=["Connection: close"]))
    assert answer.header("connection") == "close"


def test_unix_socket_with_tls(daemon, pki):
    context = tls_context(pki)
    with context.wrap_socket(connect(daemon.addresses[2]),
                             server_hostname="mta-sts.example.com") as connection:
        connection.sendall(request("mta-sts.example.com", headers=["Connection: close"]))
        assert parse_answer(read_all(connection)).body == BODIES["mta-sts.example.com"]


def test_unix_socket_is_open_to_all(daemon):
    mode = pathlib.Path(daemon.addresses[1]).stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o666


def test_kept_connection_sees_a_reload(serve, pki, tmp_path):
    listen = [{"address": f"unix:{tmp_path}/http.sock", "tls": False}]
    daemon = serve(configuration(pki, DOMAINS, listen=listen))
    with connect(daemon.address) as connection:
        answers = read_answers(connection)
        connection.sendall(request("mta-sts.example.com"))
        assert next(answers).body == policy_body("mx.example.com")
        daemon.reload(configuration(pki, {"example.com": {"mx": ["new.example.com"]}},
                                    listen=listen))
        connection.sendall(request("mta-sts.example.com"))
        assert next(answers).body == policy_body("new.example.com")


def test_kept_connection_does_not_hold_the_end(serve, pki, tmp_path):
    listen = [{"address": f"unix:{tmp_path}/http.sock", "tls": False}]
    daemon = serve(configuration(pki, DOMAINS, listen=listen))
    with connect(daemon.address) as connection:
        answers = read_answers(connection)
        connection.sendall(request("mta-sts.example.com"))
        assert next(answers).status == 200
        asked_at = time.monotonic()
        daemon.stop()
        assert time.monotonic() - asked_at < REQUEST_TIMEOUT_S - 1
        assert next(answers, None) is None
