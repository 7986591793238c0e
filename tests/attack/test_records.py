# SPDX-License-Identifier: MIT
"""Records that belong elsewhere or nowhere, in clear and with the right keys."""

import itertools
import time

import pytest

from client import request
from target import HOST
from tls_records import (ALERT, CHANGE_CIPHER_SPEC, CLOSE_NOTIFY, HANDSHAKE, KEY_UPDATE, TLS_1_2,
                         TLS_1_3, Clear, KeyedClient, KeyLog)
from wire import APPLICATION_DATA, read_to_end, send_all_it_takes

REQUEST = request(HOST)
ALERTS = list(itertools.product([1, 2], [
    0,     # close_notify
    10,    # unexpected_message
    90,    # user_canceled
    100,   # no_renegotiation
    213])) # unknown
FETCHES = 16  # the kernel chooses a worker for each: 1 time in 32,768 all of them meet the same
AT_ONCE_S = 2  # far less than any deadline
IDLE_S = 0.5
FLOODS = 20
KEY_UPDATES = 1000
KEY_UPDATES_TAKEN = 4
DATA_TAKEN_MAX = 10_000_000  # the kernel's buffers take some of it


@pytest.fixture(name="log", scope="module")
def key_log(pki, tmp_path_factory):
    return KeyLog(pki, tmp_path_factory.mktemp("keys") / "log")


def shake(target, log, version):
    """Up to the server's flight."""
    connection = target.connect()
    client = KeyedClient(log, version, HOST)
    client.shake_keyed(connection)
    return client, connection


def before_our_flight(client):
    return b"", client.flight[-1][0]


def before_finished(client):
    """Behind ChangeCipherSpec, which is only for show in TLS 1.3."""
    kinds = [kind for _, kind, _ in client.flight]
    n_sent = kinds.index(CHANGE_CIPHER_SPEC) + 1
    assert n_sent == len(client.flight) - 1
    return (b"".join(keys.seal(kind, content) for keys, kind, content in client.flight[:n_sent]),
            client.flight[-1][0])


def behind_finished(client):
    return client.seal_flight(), client.keys


def assert_serves_and_rests(target):
    for _ in range(FETCHES):
        target.fetch(timeout_s=10)
    start, used_s = time.monotonic(), target.used_cpu_s()
    time.sleep(IDLE_S)
    assert target.used_cpu_s() - used_s < (time.monotonic() - start) / 5


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
@pytest.mark.parametrize("stage", [before_our_flight, before_finished, behind_finished])
@pytest.mark.parametrize("is_sealed", [False, True], ids=["in clear", "sealed"])
def test_alerts(target, log, version, stage, is_sealed):
    """An alert in the handshake and an octet behind it made h2o 2.2.5 go round for ever."""
    connections = []
    for (level, description), behind in itertools.product(ALERTS, ["nothing", "octet", "record"]):
        client, connection = shake(target, log, version)
        connections.append(connection)
        sent, keys = stage(client)
        seal = (keys if is_sealed else Clear).seal
        sent += seal(ALERT, bytes([level, description]))
        sent += {"nothing": b"", "octet": b"x", "record": seal(APPLICATION_DATA, REQUEST)}[behind]
        connection.sendall(sent)
    assert_serves_and_rests(target)
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_right_keys(target, log, version):
    """What the alerts are worth depends on these keys: a request sealed with them is answered."""
    client, connection = shake(target, log, version)
    with connection:
        connection.sendall(client.seal_flight() + client.keys.seal(APPLICATION_DATA, REQUEST))
        assert client.decrypt(read_to_end(connection)).startswith(b"HTTP/1.1 200 ")


def ask_behind_key_updates(client, n_updates):
    """Finished, KeyUpdates, each with the keys of the one before it, and a request."""
    sent = [client.seal_flight()]
    for _ in range(n_updates):
        sent.append(client.keys.seal(HANDSHAKE, KEY_UPDATE))
        client.keys.update()
    sent.append(client.keys.seal(APPLICATION_DATA, REQUEST))
    return b"".join(sent)


def test_few_key_updates(target, log):
    client, connection = shake(target, log, TLS_1_3)
    with connection:
        connection.sendall(ask_behind_key_updates(client, KEY_UPDATES_TAKEN))
        assert client.decrypt(read_to_end(connection)).startswith(b"HTTP/1.1 200 ")


def test_key_update_flood(target, log):
    """Each costs the server more than its sender: a connection with that many of them is ended."""
    floods = []
    used_s = target.used_cpu_s()
    with target.fetched_meanwhile():
        for _ in range(FLOODS):
            client, connection = shake(target, log, TLS_1_3)
            send_all_it_takes(connection, ask_behind_key_updates(client, KEY_UPDATES))
            floods.append((client, connection))
        for client, connection in floods:
            with connection:
                assert client.decrypt(read_to_end(connection, AT_ONCE_S)) == b""
    print(f"CPU: {target.used_cpu_s() - used_s:.3f} s")


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_data_behind_close_notify(target, log, version):
    """Nobody will read the data, so the server is neither to take nor to keep them."""
    client, connection = shake(target, log, version)
    with connection:
        connection.sendall(client.seal_flight()
                           + client.keys.seal(APPLICATION_DATA, REQUEST[:-2])
                           + client.keys.seal(ALERT, CLOSE_NOTIFY))
        data = client.keys.seal(APPLICATION_DATA, bytes(16000))
        connection.settimeout(AT_ONCE_S)
        n_taken = 0
        while send_all_it_takes(connection, data):
            n_taken += len(data)
            assert n_taken < DATA_TAKEN_MAX
        # The kernel may keep a sender waiting whose peer has closed; reading tells.
        assert client.decrypt(read_to_end(connection, AT_ONCE_S)) == b""
