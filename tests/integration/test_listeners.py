# SPDX-License-Identifier: MIT
"""Where the daemon listens: IPv6, and without TLS behind a proxy, on TCP and on a unix socket."""

import contextlib
import itertools
import pathlib
import socket
import stat
import time

import pytest

from client import (connect, connect_tls, exchange, fetch, parse_answer, policy_body, read_all, request,
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
        daemon.reload(configuration(pki, {**DOMAINS, "example.com": {"mx": ["new.example.com"]}},
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


PROXY_V1 = b"PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\n"
PROXY_V2 = (b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + socket.inet_aton("192.0.2.1") +
            socket.inet_aton("198.51.100.2") + b"\x12\x34\x01\xbb")
HELLO = bytes.fromhex("16030100050100000103")


@pytest.fixture(name="listeners", scope="module")
def three_listeners(pki, tmp_path_factory):
    folder = tmp_path_factory.mktemp("listeners")
    listen = [{"address": "[::]:0" if has_ipv6() else "0.0.0.0:0"},
              {"address": "127.0.0.1:0", "tls": False},
              {"address": f"unix:{folder}/http.sock", "tls": False}]
    with Daemon(folder, configuration(pki, DOMAINS, listen=listen, admin="127.0.0.1:0",
                                      log={"access": "text"})) as daemon:
        yield daemon


@pytest.mark.parametrize("listener, sent, cure", [
    (0, request("mta-sts.example.com"), "plain HTTP came, and this listener expects TLS: "),
    (0, PROXY_V1, "a PROXY protocol header came, and proxy_protocol is not set for this listener: "),
    (0, PROXY_V2, "a PROXY protocol header came, and proxy_protocol is not set for this listener: "),
    (1, PROXY_V1, "a PROXY protocol header came, and proxy_protocol is not set for this listener: "),
    (1, PROXY_V2, "a PROXY protocol header came, and proxy_protocol is not set for this listener: "),
    (1, HELLO, "TLS came, and this listener expects plain HTTP: "),
    (2, HELLO, "TLS came, and this listener expects plain HTTP: "),
    (2, PROXY_V2, "a PROXY protocol header came, and proxy_protocol is not set for this listener: "),
    (3, HELLO, "TLS came, and the admin listener speaks plain HTTP: "),
])
def test_other_protocol_than_expected(listeners, listener, sent, cure):
    """A proxy that is set up otherwise than its listener is told what helps."""
    address = listeners.addresses[listener]
    to = f"unix:{address}" if listener == 2 else f"127.0.0.1:{address[1]}"
    peer = "a unix socket" if listener == 2 else r"127\.0\.0\.1:\d+"
    line = f"^mta-stsd: warning: connection from {peer} to {to} refused: {cure}"
    for _ in range(100):  # only some of many are logged
        with connect(("127.0.0.1", address[1]) if listener == 0 else address) as connection:
            connection.sendall(sent)
            with contextlib.suppress(ConnectionError):
                read_all(connection)
        if listeners.log.find(line):
            return
        time.sleep(0.05)
    listeners.log.wait_for(line)


@pytest.mark.parametrize("host, status, what", [
    ("localhost:10443", 404, "Host 'localhost:10443' is not served here"),
    ("policy_upstream", 400, "Host 'policy_upstream' is not served here"),
    (None, 404, "it has no Host"),
])
def test_proxy_that_passes_no_host(listeners, host, status, what):
    version = "1.1" if host else "1.0"
    answer = exchange(connect(listeners.addresses[1]), request(host, version=version))
    assert answer.status == status and b"a proxy must pass the Host" in answer.body
    listeners.log.wait_for(rf"^mta-stsd: warning: request from 127\.0\.0\.1:\d+ answered with "
                           f"{status}: {what}; a proxy must pass the Host that the sender has sent$")


def test_another_host_over_tls(listeners, pki):
    connection = connect_tls(("127.0.0.1", listeners.address[1]), "mta-sts.example.com",
                             tls_context(pki))
    assert exchange(connection, request("localhost")).status == 421
    listeners.log.wait_for("answered with 421: Host 'localhost' is not served here; a proxy must")


def test_peers_of_ipv4(listeners, pki):
    """To a listener of [::] they come in IPv6 form; nobody writes that into a filter."""
    connection = connect_tls(("127.0.0.1", listeners.address[1]), "mta-sts.example.org",
                             tls_context(pki))
    peer = "127.0.0.1:%d" % connection.getsockname()[1]
    assert exchange(connection, request("mta-sts.example.org")).status == 200
    listeners.access.wait_for(f"^[^ ]+ {peer} 'mta-sts.example.org' 'GET' ")
