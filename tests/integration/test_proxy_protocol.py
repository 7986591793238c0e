# SPDX-License-Identifier: MIT
"""Listeners with proxy_protocol: whom a header names is the peer, and without one there is none."""

import contextlib
import json
import select
import shutil
import signal
import socket
import struct
import subprocess
import time

import pytest

from client import connect, exchange, parse_answer, policy_body, read_all, request, tls_context
from daemon import PATIENCE_S, Daemon, configuration, run, write_configuration

HOST = "mta-sts.example.com"
BODY = policy_body("mx.example.com")
DOMAINS = {"example.com": {"mx": ["mx.example.com"]}}
LOOPBACK = {"trusted": ["127.0.0.0/8"]}
DEADLINE_S = 5

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = b"\x20", b"\x21"
UNSPECIFIED, TCP4, UDP4, TCP6, UNIX = b"\x00", b"\x11", b"\x12", b"\x21", b"\x31"
ADDRESSES_4 = (socket.inet_aton("192.0.2.1") + socket.inet_aton("198.51.100.2") +
               struct.pack("!HH", 4660, 443))
ADDRESSES_6 = (socket.inet_pton(socket.AF_INET6, "2001:db8::1") +
               socket.inet_pton(socket.AF_INET6, "2001:db8::2") + struct.pack("!HH", 4660, 443))


def header_v1(client="192.0.2.1", port=4660):
    return f"PROXY TCP4 {client} 198.51.100.2 {port} 443\r\n".encode()


def header_v2(command, family, rest=b""):
    return SIGNATURE + command + family + struct.pack("!H", len(rest)) + rest


def addition(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def settings_of(folder, pki, *listen, **keys):
    return configuration(pki, DOMAINS, listen=list(listen), admin="off", log={"access": "json"},
                         control=f"{folder}/control.sock", **keys)


@pytest.fixture(name="daemon", scope="module")
def serving_daemon(pki, tmp_path_factory):
    """Listeners: TLS, plain, a unix socket."""
    folder = tmp_path_factory.mktemp("daemon")
    listen = [{"address": "127.0.0.1:0", "proxy_protocol": LOOPBACK},
              {"address": "127.0.0.2:0", "proxy_protocol": LOOPBACK, "tls": False},
              {"address": f"unix:{folder}/http.sock", "proxy_protocol": {"trusted": ["unix"]},
               "tls": False}]
    with Daemon(folder, settings_of(folder, pki, *listen)) as daemon:
        yield daemon


def send_apart(connection, header):
    connection.sendall(header)


def send_together(connection, header):
    """The header waits for what is sent next and goes with it."""
    connection.sendall(header, socket.MSG_MORE)


def send_in_bytes(connection, header):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in header:
        connection.sendall(bytes([byte]))


def fetch_behind(address, header, context=None, send=send_apart):
    """Fetches the policy as a proxy does for its client; returns the proxy's own port, too."""
    connection = connect(address)
    own_port = None if isinstance(address, str) else connection.getsockname()[1]
    send(connection, header)
    if context:
        connection = context.wrap_socket(connection, server_hostname=HOST)
    answer = exchange(connection, request(HOST))
    assert (answer.status, answer.body) == (200, BODY)
    assert answer.header("connection") == "close"
    return own_port


def logged_peer(daemon, n_before):
    daemon.access.wait_for("", n_before)
    return json.loads(daemon.access.lines[n_before])["peer"]


CLIENTS = {
    "v1": (header_v1(), "192.0.2.1:4660"),
    "v1-ipv6": (b"PROXY TCP6 2001:db8::1 2001:db8::2 4660 443\r\n", "[2001:db8::1]:4660"),
    "v2": (header_v2(PROXY, TCP4, ADDRESSES_4), "192.0.2.1:4660"),
    "v2-ipv6": (header_v2(PROXY, TCP6, ADDRESSES_6), "[2001:db8::1]:4660"),
    "v2-additions": (header_v2(PROXY, TCP4, ADDRESSES_4 + addition(2, HOST.encode()) +
                               addition(4, b"\0" * 500)), "192.0.2.1:4660"),
    "v2-longest": (header_v2(PROXY, TCP4, ADDRESSES_4 + addition(4, b"\0" * (4096 - 31))),
                   "192.0.2.1:4660"),
}


@pytest.mark.parametrize("listener", [0, 1], ids=["tls", "plain"])
@pytest.mark.parametrize("send", [send_apart, send_together, send_in_bytes])
@pytest.mark.parametrize("name", CLIENTS)
def test_client_is_the_peer(daemon, pki, listener, send, name):
    header, client = CLIENTS[name]
    n_before = len(daemon.access.lines)
    fetch_behind(daemon.addresses[listener], header, [tls_context(pki), None][listener], send)
    assert logged_peer(daemon, n_before) == client


@pytest.mark.parametrize("listener", [0, 1], ids=["tls", "plain"])
@pytest.mark.parametrize("header", [
    b"PROXY UNKNOWN\r\n",
    b"PROXY UNKNOWN ::1 ::1 1 2\r\n",
    header_v2(LOCAL, UNSPECIFIED),
    header_v2(LOCAL, TCP4, ADDRESSES_4),
    header_v2(PROXY, UNSPECIFIED),
    header_v2(PROXY, UDP4, ADDRESSES_4),
    header_v2(PROXY, UNIX, b"/a".ljust(108, b"\0") + b"/b".ljust(108, b"\0")),
])
def test_proxy_is_the_peer_without_a_client(daemon, pki, listener, header):
    n_before = len(daemon.access.lines)
    own_port = fetch_behind(daemon.addresses[listener], header, [tls_context(pki), None][listener])
    assert logged_peer(daemon, n_before) == f"127.0.0.1:{own_port}"


@pytest.mark.parametrize("header, client", [
    (header_v1(), "192.0.2.1:4660"), (header_v2(LOCAL, UNSPECIFIED), None)])
def test_unix_socket(daemon, header, client):
    """One client is behind each connection, so that it is not kept alive as others there are."""
    n_before = len(daemon.access.lines)
    fetch_behind(daemon.addresses[2], header)
    assert logged_peer(daemon, n_before) == client


def test_mapped_address_is_trusted(serve, pki, tmp_path):
    """On [::] an IPv4 proxy comes as ::ffff:127.0.0.1."""
    listener = {"address": "[::]:0", "proxy_protocol": {"trusted": ["127.0.0.1"]}}
    try:
        daemon = serve(settings_of(tmp_path, pki, listener))
    except AssertionError:
        pytest.skip("this machine has no IPv6")
    fetch_behind(("127.0.0.1", daemon.address[1]), header_v1(), tls_context(pki))
    assert logged_peer(daemon, 0) == "192.0.2.1:4660"


def read_to_the_end(connection):
    """What came before the end; what was sent and not read makes the end a reset."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        received = read_all(connection)
    return received


REFUSED = {
    "no header": (b"", "no header"),
    "another signature": (SIGNATURE[:-1] + b"\r", "no header"),
    "garbage": (b"\xff\0" * 100, "no header"),
    "bare LF": (header_v1().replace(b"\r\n", b"\n"), "a line that does not end in CR LF"),
    "unknown protocol": (b"PROXY TCP5 192.0.2.1 198.51.100.2 1 2\r\n",
                         "a line that is neither for TCP4, TCP6 nor UNKNOWN"),
    "bad address": (header_v1("192.0.2.256"), "a line with a bad address"),
    "bad port": (header_v1(port=65536), "a line with a bad port"),
    "long line": (b"PROXY UNKNOWN ".ljust(106, b"x") + b"\r\n", "a line of more than 107 bytes"),
    "endless line": (b"PROXY TCP4 ".ljust(50000, b"1"), "a line of more than 107 bytes"),
    "version 3": (header_v2(b"\x31", TCP4, ADDRESSES_4), "a version that is not 2"),
    "unknown command": (header_v2(b"\x22", TCP4, ADDRESSES_4), "a version that is not 2"),
    "unknown family": (header_v2(PROXY, b"\x41", ADDRESSES_4), "an unknown address family"),
    "short": (header_v2(PROXY, TCP6, ADDRESSES_4), "a header that is too short"),
    "long": (header_v2(PROXY, TCP4, ADDRESSES_4 + addition(4, b"\0" * (4096 - 30))),
             "a header of more than 4096 bytes"),
}


@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
@pytest.mark.parametrize("name", REFUSED)
def test_bad_header_ends_the_connection(serve, pki, tmp_path, name, tls):
    """Nothing of what follows is looked at, and the connection does not wait for the deadline."""
    header, why = REFUSED[name]
    daemon = serve(settings_of(tmp_path, pki, {"address": "127.0.0.1:0", "tls": tls,
                                               "proxy_protocol": LOOPBACK}))
    with connect(daemon.address) as connection:
        own_port = connection.getsockname()[1]
        connection.sendall(header + request(HOST))
        assert read_to_the_end(connection) == b""
    daemon.log.wait_for(rf"^mta-stsd: warning: connection from 127\.0\.0\.1:{own_port} refused: "
                        "expected a PROXY protocol header, because proxy_protocol is set for this "
                        f"listener; found {why}")
    daemon.stop()
    assert daemon.access.read_to_end() == ""


@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
def test_untrusted_peer_is_turned_away(serve, pki, tmp_path, tls):
    proxy = {"trusted": ["192.0.2.0/24", "127.0.0.2", "::/0"]}
    daemon = serve(settings_of(tmp_path, pki, {"address": "127.0.0.1:0", "tls": tls,
                                               "proxy_protocol": proxy}))
    with connect(daemon.address) as connection:
        own_port = connection.getsockname()[1]
        with contextlib.suppress(ConnectionError):
            connection.sendall(header_v1("127.0.0.2") + request(HOST))
        assert read_to_the_end(connection) == b""
    daemon.log.wait_for(rf"^mta-stsd: info: connection from 127\.0\.0\.1:{own_port} refused: "
                        "it is not among proxy_protocol.trusted$")
    with socket.create_connection(daemon.address, PATIENCE_S, ("127.0.0.2", 0)) as connection:
        connection.sendall(header_v1())
        if tls:
            connection = tls_context(pki).wrap_socket(connection, server_hostname=HOST)
        assert exchange(connection, request(HOST)).status == 200
    assert logged_peer(daemon, 0) == "192.0.2.1:4660"


def test_client_is_named_where_a_handshake_is_refused(daemon):
    context = tls_context()
    connection = connect(daemon.addresses[0])
    connection.sendall(header_v1("192.0.2.99", 1))
    with pytest.raises(OSError):
        context.wrap_socket(connection, server_hostname="mta-sts.unknown.example",
                            suppress_ragged_eofs=False)
    daemon.log.wait_for(r"handshake from 192\.0\.2\.99:1 refused: the name 'mta-sts\.unknown")


def test_peer_that_leaves_is_no_news(daemon):
    """Health checks often do no more than connect."""
    n_before = len(daemon.log.lines)
    for sent in (b"", b"PROXY TCP4 ", SIGNATURE, header_v1()):
        with connect(daemon.addresses[1]) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            assert read_to_the_end(connection) == b""
    fetch_behind(daemon.addresses[1], header_v1())
    assert daemon.log.lines[n_before:] == []


def seconds_until_closed(connections, drip):
    """How long each lives while bytes of `drip` come in on the last one."""
    began_at, ends, drip = time.monotonic(), {}, iter(drip)
    while len(ends) < len(connections) and time.monotonic() < began_at + PATIENCE_S:
        open_ones = [connection for connection in connections if connection not in ends]
        for connection in select.select(open_ones, [], [], 0.5)[0]:
            assert read_to_the_end(connection) == b""
            ends[connection] = time.monotonic() - began_at
        with contextlib.suppress(ConnectionError):
            connections[-1].sendall(bytes([next(drip)]))
    return [ends[connection] for connection in connections]


def test_deadlines(daemon):
    """Silence before, in and behind the header; bytes that drip in do not extend the time."""
    sent = [(listener, begin) for listener in (0, 1) for begin in (
        b"", header_v1()[:-1], header_v1(), header_v2(PROXY, TCP6, ADDRESSES_6)[:-1])]
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(daemon.addresses[listener]))
                       for listener, _ in [*sent, (1, None)]]
        for connection, (_, begin) in zip(connections, sent):
            connection.sendall(begin)
        lives = seconds_until_closed(connections, b"PROXY UNKNOWN " + b"x" * PATIENCE_S)
    assert min(lives) > DEADLINE_S - 1
    assert max(lives) < DEADLINE_S + 5


def is_open(connection):
    return not select.select([connection], [], [], 0)[0]


def finish(connection):
    connection.sendall(request(HOST))
    return parse_answer(read_all(connection)).status


def test_cap_per_source_is_the_clients(serve, pki, tmp_path):
    """What a proxy does for itself counts for no source."""
    listener = {"address": "127.0.0.1:0", "tls": False, "proxy_protocol": LOOPBACK}
    daemon = serve(settings_of(tmp_path, pki, listener, workers=1, limits={"per_source": 1}))
    with contextlib.ExitStack() as stack:
        first, other, local, local_too, second = (stack.enter_context(connect(daemon.address))
                                                  for _ in range(5))
        first.sendall(header_v1("192.0.2.1"))
        other.sendall(header_v1("192.0.2.2"))
        for connection in (local, local_too):
            connection.sendall(header_v2(LOCAL, UNSPECIFIED))
        # An answer on a later connection shows that the headers before it have been read.
        fetch_behind(daemon.address, header_v1("192.0.2.3"))
        assert is_open(first)
        second.sendall(header_v1("192.0.2.1"))
        assert read_to_the_end(first) == b""
        for connection in (other, local, local_too, second):
            assert finish(connection) == 200


def test_end_waits_for_the_rest_of_a_header(serve, pki, tmp_path):
    listener = {"address": "127.0.0.1:0", "tls": False, "proxy_protocol": LOOPBACK}
    daemon = serve(settings_of(tmp_path, pki, listener))
    with connect(daemon.address) as connection:
        connection.sendall(header_v1()[:-1])
        daemon.send_signal(signal.SIGTERM)
        daemon.log.wait_for("shutting down, waiting for open connections")
        connection.sendall(header_v1()[-1:])
        assert finish(connection) == 200
    daemon.wait_for_end()
    assert logged_peer(daemon, 0) == "192.0.2.1:4660"


@pytest.mark.parametrize("address, proxy, wanted", [
    ("127.0.0.1:0", {}, ": the key 'trusted' is needed"),
    ("127.0.0.1:0", ["127.0.0.1"], ": expected a mapping, as in {trusted: ...}, found a list"),
    ("127.0.0.1:0", {"trusted": "127.0.0.1"}, ".trusted: expected a list, as in [192.0.2.7], found '127.0.0.1'"),
    ("127.0.0.1:0", {"trusted": []}, ".trusted: the list is empty, so that nobody could connect"),
    ("127.0.0.1:0", {"trusted": ["unix"]}, ".trusted[0]: 'unix' is neither an address, as "),
    ("127.0.0.1:0", {"trusted": ["a.example"]}, ".trusted[0]: 'a.example' is neither an address"),
    ("127.0.0.1:0", {"trusted": ["::1", "192.0.2.1/24"]},
     ".trusted[1]: '192.0.2.1/24' is no network: there are bits behind the first 24"),
    ("unix:/run/a.sock", {"trusted": ["127.0.0.1"]}, ".trusted[0]: '127.0.0.1' is not unix"),
])
def test_bad_settings(pki, tmp_path, address, proxy, wanted):
    settings = settings_of(tmp_path, pki, {"address": address, "proxy_protocol": proxy})
    path = write_configuration(tmp_path / "mta-stsd.yaml", settings)
    process = run("--test-config", "-c", path)
    assert process.returncode == 2
    assert f"error: listen[0].proxy_protocol{wanted}" in process.stdout.decode()


@pytest.mark.parametrize("changed", [None, {"trusted": ["127.0.0.1"]}])
def test_change_needs_a_restart(serve, pki, tmp_path, changed):
    listener = {"address": "127.0.0.1:0", "proxy_protocol": LOOPBACK}
    daemon = serve(settings_of(tmp_path, pki, listener))
    if changed is None:
        del listener["proxy_protocol"]
    else:
        listener["proxy_protocol"] = changed
    write_configuration(daemon.config_path, settings_of(tmp_path, pki, listener))
    daemon.send_signal(signal.SIGHUP)
    daemon.log.wait_for("'listen' has changed, which needs a restart")
    fetch_behind(daemon.address, header_v1(), tls_context(pki))


def test_trust_outlives_a_reload(serve, pki, tmp_path):
    """The snapshot that the list came with goes when the next one serves."""
    listener = {"address": "127.0.0.1:0", "proxy_protocol": {"trusted": ["127.0.0.1"]}}
    settings = settings_of(tmp_path, pki, listener)
    daemon = serve(settings)
    for i in range(1, 4):
        settings["domains"] = {"example.com": {**DOMAINS["example.com"], "id_salt": str(i)}}
        write_configuration(daemon.config_path, settings)
        daemon.send_signal(signal.SIGHUP)
        daemon.log.wait_for("reloaded '", count=i)
        fetch_behind(daemon.address, header_v1(), tls_context(pki))


@contextlib.contextmanager
def haproxy(folder, *servers):
    """A proxy that listens on 127.0.0.1, a port for each server line; yields the addresses."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in servers]
    sections = [f"listen s{i}\n  bind fd@{listener.fileno()}\n  server s {server}\n"
                for i, (listener, server) in enumerate(zip(listeners, servers))]
    timeouts = "".join(f"  timeout {what} {PATIENCE_S}s\n" for what in ("connect", "client", "server"))
    path = folder / "haproxy.cfg"
    path.write_text(f"defaults\n  mode tcp\n{timeouts}" + "".join(sections), encoding="utf-8")
    process = subprocess.Popen(["haproxy", "-db", "-f", path],
                               pass_fds=[listener.fileno() for listener in listeners])
    try:
        yield [listener.getsockname() for listener in listeners]
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        for listener in listeners:
            listener.close()


@pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy is not installed")
def test_behind_haproxy(daemon, pki, tmp_path):
    """Its own health checks come as LOCAL, and as UNKNOWN in version 1."""
    checks = "check check-send-proxy inter 50ms"
    context = tls_context(pki)
    servers = [f"{host}:{port} {option} {checks}" for host, port in daemon.addresses[:2] for option in (
        "send-proxy", "send-proxy-v2 proxy-v2-options crc32c", "send-proxy-v2-ssl-cn")]
    n_before, n_logged_before = len(daemon.access.lines), len(daemon.log.lines)
    with haproxy(tmp_path, *servers) as addresses:
        clients = [fetch_through(address, context if i < 3 else None)
                   for i, address in enumerate(addresses)]
    daemon.access.wait_for("", n_before, len(clients))
    peers = [json.loads(line)["peer"] for line in daemon.access.lines[n_before:]]
    assert sorted(peers) == sorted(clients)
    assert not daemon.log.find("refused", n_logged_before)


def fetch_through(address, context):
    """Returns the client's address as it is to be logged."""
    connection = connect(address)
    host, port = connection.getsockname()
    if context:
        connection = context.wrap_socket(connection, server_hostname=HOST)
    assert exchange(connection, request(HOST)).body == BODY
    return f"{host}:{port}"
