# SPDX-License-Identifier: MIT
"""Caps and deadlines: one peer, or ten thousand, cost the others nothing."""

import contextlib
import os
import resource
import socket
import ssl
import subprocess
import threading
import time

import pytest

from client import connect, connect_tls, exchange, fetch, read_all, request, tls_context
from daemon import PATIENCE_S
from operated import HOST, LONG, configuration, operate_in_test, wait_until  # noqa: F401

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


def is_open(connection):
    """Whether the peer still holds it, without waiting."""
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    finally:
        connection.setblocking(True)


def ends(daemon, reason):
    return daemon.metric(f'connections_ended_total{{reason="{reason}"}}')


def limits(pki, folder, **keys):
    """One worker, so that the cap is not spread over several."""
    return configuration(pki, folder, workers=1, limits=keys)


def test_oldest_makes_room(operate, pki, tmp_path):
    daemon = operate(limits(pki, tmp_path, connections=16))
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connect(daemon.address)) for _ in range(16)]
        wait_until(lambda: daemon.metric("connections_open") == 16, "all in")
        assert all(map(is_open, silent))
        assert fetch(daemon.address, HOST, tls_context(pki)).status == 200
        wait_until(lambda: not is_open(silent[0]), "the oldest gone")
        assert all(map(is_open, silent[1:]))
        # The one that was answered has left a place.
        silent.append(stack.enter_context(connect(daemon.address)))
        wait_until(lambda: daemon.metric("connections_open") == 16, "one more")
        assert all(map(is_open, silent[1:]))
        assert ends(daemon, "evicted") == 1


def test_after_the_handshake_one_may_be_evicted_too(operate, pki, tmp_path):
    daemon = operate(limits(pki, tmp_path, connections=16))
    context = tls_context(pki)
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connect_tls(daemon.address, HOST, context))
                  for _ in range(17)]
        wait_until(lambda: ends(daemon, "evicted") == 1, "evicted")
        assert [is_open(connection) for connection in silent] == [False] + 16 * [True]
        assert exchange(silent[1], request(HOST)).status == 200


def ask_without_reading(path):
    """A proxy's connection that asks for more than its buffers hold and reads nothing."""
    connection = connect(path)
    connection.sendall(900 * request(HOST, "/"))
    return connection


def has_stalled(daemon):
    """No request more was answered for a while: whoever does not read holds its connection."""
    before = daemon.metric('http_requests_total{code="404"}')
    time.sleep(1.5)
    return 0 < before == daemon.metric('http_requests_total{code="404"}')


def test_answered_one_is_never_evicted(operate, pki, tmp_path):
    """Its peer reads slowly; evicting it would lose an answer that is on its way."""
    unix = str(tmp_path / "http.sock")
    daemon = operate(configuration(
        pki, tmp_path, workers=1, limits={"connections": 16},
        listen=[{"address": "127.0.0.1:0"}, {"address": f"unix:{unix}", "tls": False}]))
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(ask_without_reading(unix)) for _ in range(16)]
        wait_until(lambda: daemon.metric("connections_open") == 16, "all in")
        wait_until(lambda: has_stalled(daemon), "all answering into full buffers")
        with connect(daemon.address) as refused:
            refused.settimeout(PATIENCE_S)
            with contextlib.suppress(ConnectionResetError):
                assert refused.recv(1) == b""
        assert ends(daemon, "refused") == 1 and ends(daemon, "evicted") == 0
        for connection in slow:
            connection.setblocking(True)
            connection.settimeout(PATIENCE_S)
            assert connection.recv(100).startswith(b"HTTP/1.1 404")
    wait_until(lambda: daemon.metric("connections_open") == 0, "all gone", 15)
    assert fetch(daemon.address, HOST, tls_context(pki)).status == 200


def test_flood_and_fetches(operate, pki, tmp_path):
    """Many times the cap come, say nothing and stay; whoever asks is answered."""
    context = tls_context(pki)
    daemon = operate(configuration(pki, tmp_path, limits={"connections": 64}))
    stop = threading.Event()
    held = []

    def flood():
        while not stop.is_set() and len(held) < 5000:
            with contextlib.suppress(OSError):
                held.append(socket.create_connection(daemon.address, 5))
            if len(held) > 400:
                held.pop(0).close()
            time.sleep(0.001)

    flooder = threading.Thread(target=flood)
    flooder.start()
    try:
        wait_until(lambda: ends(daemon, "evicted") > 0, "evicted")
        for _ in range(40):
            assert fetch(daemon.address, HOST, context).status == 200
    finally:
        stop.set()
        flooder.join()
    assert len(daemon.descriptors()) < 64 + 60
    for connection in held:
        connection.close()


# Runs in a network namespace of its own: the daemon listens on one end of a pair of virtual cables.
SOURCES = r"""
import socket, sys, time
def come(source, family=socket.AF_INET, to="10.9.0.1"):
    connection = socket.socket(family)
    connection.bind((source, 0))
    connection.settimeout(30)
    connection.connect((to, int(sys.argv[1])))
    return connection
def is_open(connection):
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
def settle():
    time.sleep(0.5)
first = [come("10.9.0.2") for _ in range(4)]
other = [come("10.9.0.3") for _ in range(4)]
settle()
print(all(map(is_open, first + other)))
first.append(come("10.9.0.2"))
settle()
print([is_open(one) for one in first], all(map(is_open, other)))
six = [come("fd09::%d" % i, socket.AF_INET6, "fd09::1") for i in (2, 3, 4, 5)]
settle()
print(all(map(is_open, six + other)))
six.append(come("fd09::2", socket.AF_INET6, "fd09::1"))
settle()
print([is_open(one) for one in six])
six.append(come("fd09:0:0:1::2", socket.AF_INET6, "fd09::1"))
settle()
print([is_open(one) for one in six])
"""

NAMESPACE = """
ip link set lo up
ip link add left type veth peer name right
ip addr add 10.9.0.1/24 dev left
ip addr add fd09::1/48 dev left nodad
for i in 2 3; do ip addr add 10.9.0.$i/24 dev left; done
for i in 2 3 4 5; do ip addr add fd09::$i/48 dev left nodad; done
ip addr add fd09:0:0:1::2/48 dev left nodad
ip link set left up
ip link set right up
exec "$@"
"""


def in_namespace(*before):
    """A wrapper for a command: a network namespace with addresses that are not loopback's."""
    return ["unshare", "--net", "sh", "-ec", NAMESPACE, "sh", *before]


@needs_root
def test_one_source_against_others(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path, workers=1, limits={"per_source": 4},
                                   listen=[{"address": "[::]:0"}]),
                     wrapper=in_namespace())
    process = subprocess.run(
        ["nsenter", f"--net=/proc/{daemon.process.pid}/ns/net", "/usr/bin/python3", "-c", SOURCES,
         str(daemon.address[1])], capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert process.stdout.splitlines() == [
        "True",
        "[False, True, True, True, True] True",
        "True",
        "[False, True, True, True, True]",
        "[False, True, True, True, True, True]",  # another /64
    ]


def test_loopback_and_unix_are_no_sources(operate, pki, tmp_path):
    unix = str(tmp_path / "http.sock")
    daemon = operate(configuration(
        pki, tmp_path, workers=1, limits={"per_source": 1},
        listen=[{"address": "127.0.0.1:0"}, {"address": f"unix:{unix}", "tls": False}]))
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(connect(address)) for address in 4 * daemon.addresses[:2]]
        wait_until(lambda: daemon.metric("connections_open") == 8, "all in")
        assert all(map(is_open, held))
        assert ends(daemon, "evicted") == 0


def test_few_descriptors_lower_the_cap(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path, workers=1),
                     wrapper=["prlimit", "--nofile=200:200"])
    line = daemon.log.wait_for("limits.connections is 10000, but the limit of 200 descriptors "
                               r"allows \d+; raise LimitNOFILE= or ulimit -n")
    allowed = int(line.split("allows ")[1].split(";")[0])
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(connect(daemon.address)) for _ in range(300)]
        wait_until(lambda: ends(daemon, "evicted") == 300 - allowed, "evicted")
        assert len(daemon.descriptors()) < 200
        assert fetch(daemon.address, HOST, tls_context(pki)).status == 200
        assert daemon.ask("--reload").returncode == 0
        del held


def test_soft_limit_is_raised(operate, pki, tmp_path):
    hard = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 12000)
    daemon = operate(configuration(pki, tmp_path, limits={"connections": 1000}),
                     wrapper=["prlimit", f"--nofile=64:{hard}"])
    assert not daemon.log.find("descriptors")
    with open(f"/proc/{daemon.process.pid}/limits", encoding="ascii") as limits_file:
        line = next(line for line in limits_file if line.startswith("Max open files"))
    assert line.split()[3:5] == [str(hard), str(hard)]


def test_descriptors_exhausted(operate, pki, tmp_path):
    """The limit falls under what is open: it sleeps instead of spinning, and serves on after."""
    daemon = operate(configuration(pki, tmp_path))
    context = tls_context(pki)
    assert fetch(daemon.address, HOST, context).status == 200
    pid = daemon.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (4, before[1]))
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(connect(daemon.address))
        used, began = daemon.cpu_s(), time.monotonic()
        time.sleep(1.5)
        used, took = daemon.cpu_s() - used, time.monotonic() - began
        assert used < 0.2 * took, f"{used} s of {took} s"
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        assert fetch(daemon.address, HOST, context).status == 200
    assert daemon.admin("/readyz").status == 200
    assert daemon.ask("--reload").returncode == 0


def drip(connection, sent, every_s=0.2):
    """Sends byte by byte until the peer has had enough; returns how long that took."""
    began = time.monotonic()
    with contextlib.suppress(OSError):
        for byte in sent:
            connection.sendall(bytes([byte]))
            connection.settimeout(every_s)
            try:
                if connection.recv(1000) == b"":
                    break
            except (socket.timeout, ssl.SSLWantReadError):
                continue
    return time.monotonic() - began


def hello():
    """The first bytes of a handshake, as a client sends them."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = tls_context().wrap_bio(incoming, outgoing, server_hostname=HOST)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_deadlines(operate, pki, tmp_path):
    """Silence and a drip end alike, 5 s after the phase began, whatever has come till then."""
    daemon = operate(configuration(pki, tmp_path))
    context = tls_context(pki)
    body = request(HOST, method="POST", headers=["Content-Length: 1000"]) + 900 * b"x"
    peers = [
        (lambda: connect(daemon.address), b""),
        (lambda: connect(daemon.address), hello()),
        (lambda: connect(daemon.address), hello()[:100]),
        (lambda: connect_tls(daemon.address, HOST, context), b""),
        (lambda: connect_tls(daemon.address, HOST, context), request(HOST)[:-2] + 900 * b"a: b\r\n"),
        (lambda: connect_tls(daemon.address, HOST, context), body),
    ]
    took = [0.0] * len(peers)

    def run(index):
        make, sent = peers[index]
        with make() as connection:
            if sent:
                took[index] = drip(connection, sent)
            else:
                began = time.monotonic()
                connection.settimeout(PATIENCE_S)
                with contextlib.suppress(OSError):
                    read_all(connection)
                took[index] = time.monotonic() - began

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(peers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(4.8 < seconds < 7 for seconds in took), took
    wait_until(lambda: daemon.metric("connections_open") == 0, "all gone")
    assert ends(daemon, "handshake_deadline") == 3
    assert ends(daemon, "request_deadline") == 3


@pytest.mark.skipif(not LONG, reason="takes a quarter of a minute: MTA_LONG=1")
def test_deadline_of_the_answer(operate, pki, tmp_path):
    unix = str(tmp_path / "http.sock")
    daemon = operate(configuration(pki, tmp_path, workers=1, listen=[
        {"address": f"unix:{unix}", "tls": False}]))
    with ask_without_reading(unix):
        began = time.monotonic()
        wait_until(lambda: ends(daemon, "answer_deadline") == 1, "its end", 20)
        assert 9 < time.monotonic() - began < 12


def test_new_limits_by_reload(operate, pki, tmp_path):
    daemon = operate(limits(pki, tmp_path, connections=16))
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(connect(daemon.address)) for _ in range(16)]
        wait_until(lambda: daemon.metric("connections_open") == 16, "all in")
        assert daemon.change(limits(pki, tmp_path, connections=32)).returncode == 0
        held += [stack.enter_context(connect(daemon.address)) for _ in range(16)]
        wait_until(lambda: daemon.metric("connections_open") == 32, "more in")
        assert ends(daemon, "evicted") == 0 and all(map(is_open, held))
        # A lower cap evicts nobody by itself; whoever comes next makes it felt.
        assert daemon.change(limits(pki, tmp_path, connections=16)).returncode == 0
        assert fetch(daemon.address, HOST, tls_context(pki)).status == 200

