# SPDX-License-Identifier: MIT
"""Connections that end as no client should end them leave nothing behind."""

import ssl

import pytest

from client import request, tls_context
from target import HOST
from wire import APPLICATION_DATA, TlsClient, client_hello, read_to_end, record, reset, server_name

RESETS = 300
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
REQUEST = request(HOST)
HELLO = client_hello(server_name(HOST.encode()))


def when_connected(target):
    reset(target.connect())


def in_the_hello(target):
    connection = target.connect()
    connection.sendall(HELLO[:100])
    reset(connection)


def after_the_hello(target):
    connection = target.connect()
    connection.sendall(HELLO)
    reset(connection)


def in_the_handshake(target):
    connection = target.connect()
    connection.sendall(HELLO)
    connection.recv(1)
    reset(connection)


def after_the_handshake(target):
    reset(target.connect_tls())


def in_the_request(target):
    connection = target.connect_tls()
    connection.sendall(REQUEST[:-2])
    reset(connection)


def after_the_request(target):
    connection = target.connect_tls()
    connection.sendall(REQUEST)
    reset(connection)


def in_the_answer(target):
    connection = target.connect_tls()
    connection.sendall(REQUEST)
    connection.recv(1)
    reset(connection)


def closed_with_unread_data(target):
    """The answer waits to be read: the kernel makes it a reset."""
    connection = target.connect_tls()
    connection.sendall(REQUEST)
    connection.close()


def finished_and_reset(target):
    """Finished, request and reset in one go."""
    connection = target.connect()
    client = TlsClient(target.context, HOST)
    connection.sendall(client.shake_with(connection) + client.encrypt(REQUEST))
    reset(connection)


@pytest.mark.parametrize("way", [
    when_connected, in_the_hello, after_the_hello, in_the_handshake, after_the_handshake,
    in_the_request, after_the_request, in_the_answer, closed_with_unread_data, finished_and_reset])
def test_reset(target, way):
    with target.fetched_meanwhile():
        for _ in range(RESETS):
            way(target)


def test_reset_on_a_plain_connection(target):
    for _ in range(RESETS):
        connection = target.connect_unix()
        connection.sendall(REQUEST)
        connection.close()


def read_all_to_their_ends(connections):
    for connection in connections:
        read_to_end(connection)
        connection.close()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("with_request", [False, True])
def test_corrupt_record_in_the_flight_of_finished(target, pki, version, with_request):
    """h2o 2.2.5's other loop, libuv's, aborts here (h2o.md, U2)."""
    context = tls_context(pki, version)
    connections = []
    with target.fetched_meanwhile():
        for i in range(60):
            connections.append(target.connect())
            client = TlsClient(context, HOST)
            flight = client.shake_with(connections[-1])
            if with_request:
                flight += client.encrypt(REQUEST)
            corrupt = bytearray(client.encrypt(b"x" * 100))
            corrupt[5 + i % (len(corrupt) - 5)] ^= 0x40
            connections[-1].sendall(flight + corrupt)
        read_all_to_their_ends(connections)


@pytest.mark.parametrize("version", VERSIONS)
def test_corrupt_finished(target, pki, version):
    """Each of the last 60 bytes of the flight that ends in Finished, and a request behind it."""
    context = tls_context(pki, version)
    connections = []
    for i in range(60):
        connections.append(target.connect())
        client = TlsClient(context, HOST)
        client.shake()
        flight = client.to_send()
        connections[-1].sendall(flight)
        flight = b""
        while not flight:
            client.receive(connections[-1].recv(65536))
            client.shake()
            flight = client.to_send()
        flight = bytearray(flight)
        flight[-1 - i % len(flight)] ^= 1
        connections[-1].sendall(flight + record(APPLICATION_DATA, bytes(200)))
    read_all_to_their_ends(connections)
