#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fuzzes TLS by records: any record at any time, in clear and with the right keys.

Usage: fuzz_records.py SECONDS [SEED [FIRST]]; MTA_STSD is the path of the program.

A case is a whole conversation, from the ClientHello to close_notify, with records in it that
belong elsewhere or nowhere. The cases of a batch run at once, and most of their connections stay
open while fetches meet both workers, and while the daemon is idle, which must cost no CPU: a worker
that goes round for a connection fails the fetches or spends the CPU. More is said in fuzzing.py.
"""

import asyncio
import contextlib
import pathlib
import random
import socket
import ssl
import sys
import time

sys.path.append(str(pathlib.Path(__file__).parents[1] / "integration"))

# pylint: disable=wrong-import-position
import fuzzing  # noqa: E402
from client import request  # noqa: E402
from fuzzing import BINARY, mutate  # noqa: E402
from target import HOST  # noqa: E402
from tls_records import (ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, KEY_UPDATE, KINDS,  # noqa: E402
                         TLS_1_2, TLS_1_3, CLOSE_NOTIFY, Clear, Keys, KeyedClient, KeyLog)
from wire import (APPLICATION_DATA, client_hello, end_sending, read_to_end, record,  # noqa: E402
                  reset, server_name, vector)

CASES_A_CHECK = 64
FETCHES_A_CHECK = 8  # the kernel chooses a worker for each: 1 check in 128 misses a worker
PATIENCE_S = 5
RELUCTANCE_S = 0.1  # for an answer that need not come, because of the records sent before
BUSY = 0.2  # of a core
REQUEST = request(HOST)
STAGES = ["before the hello", "in the hello", "behind the hello", "after the server's flight",
          "before a message of ours", "before Finished", "behind Finished", "in the request",
          "behind the request", "after the answer", "behind close_notify"]
RETRY_STAGES = ["after HelloRetryRequest", "behind the second hello", "after the server's flight"]
DESCRIPTIONS = [0, 0, 0, 0, 10, 20, 21, 22, 40, 42, 47, 50, 51, 60, 70, 80, 86, 90, 90, 100, 109,
                110, 112, 115, 116, 120, 255]
MESSAGES = [0, 1, 2, 4, 5, 6, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 24, 25, 67, 254]
VERSIONS = [b"\x03\x01", b"\x03\x00", b"\x03\x02", b"\x03\x04", b"\x03\xff", b"\x02\x00", b"\0\0"]


def alert(source):
    return ALERT, bytes([source.choice([1, 1, 1, 2, 2, 0, 255]), source.choice(DESCRIPTIONS)])


def odd_alert(source):
    return ALERT, source.choice([b"\1", b"\2", b"\1\0\0", b"\1\0\1\0", b"\1\x5a\1\0", b"\2\0\2\0"])


def change_cipher_spec(source):
    return CHANGE_CIPHER_SPEC, source.choice([b"\1", b"\1", b"\1", b"\0", b"\2", b"\1\1"])


def empty(source):
    return source.choice(KINDS), b""


def key_update(source):
    return HANDSHAKE, source.choice([KEY_UPDATE, KEY_UPDATE, b"\x18" + vector(3, b"\1")])


def odd_key_update(source):
    return HANDSHAKE, source.choice([b"\x18" + vector(3), b"\x18" + vector(3, b"\2"),
                                     b"\x18" + vector(3, b"\0\0"), KEY_UPDATE * 2,
                                     KEY_UPDATE[:-1], KEY_UPDATE + b"\x14"])


def message(source):
    """Of the handshake: of any kind, its length sometimes another than its head says."""
    content = source.randbytes(source.choice([0, 0, 1, 2, 32, 36, 48, 300]))
    head = vector(3, content)[:3]
    if source.random() < 0.2:
        head = source.choice([b"\0\0\0", b"\0\0\1", b"\0\x40\0", b"\0\xff\xff", b"\xff\xff\xff"])
    return HANDSHAKE, bytes([source.choice(MESSAGES)]) + head + content


def part_of_message(source):
    return HANDSHAKE, source.choice([b"\x01\0\1\0\3\3", b"\x14\0\0\x20", b"\x18", b"\0\0"])


def hello(source):
    return HANDSHAKE, client_hello(server_name(HOST.encode()),
                                   versions=source.choice([(0x304, 0x303), (0x303,)]))[5:]


def data(source):
    return APPLICATION_DATA, source.choice([REQUEST, REQUEST[:9], b"x", b"\r\n", bytes(100)])


def large(source):
    return source.choice(KINDS), bytes(source.choice([16383, 16384, 16385, 16640, 18432, 65000]))


def odd_kind(source):
    return source.choice([0, 19, 24, 25, 128, 255]), source.choice([b"", b"\1", bytes(50)])


RECORDS = [alert, alert, alert, odd_alert, change_cipher_spec, empty, key_update, odd_key_update,
           message, message, part_of_message, hello, data, data, large, odd_kind]
NOT_RECORDS = [b"x", b"\x15\x03", b"\x16\x03\x03\xff\xff", b"\x17\x03\x03\x40\x00" + bytes(30),
               b"\x80\x2e\x01\x00\x02" + bytes(43), b"\x15\x03\x03\x00\x02\x01",
               b"\x17\x03\x03\x00", bytes(5), bytes(16), REQUEST, record(ALERT, CLOSE_NOTIFY)]


class Ended(Exception):
    """The conversation goes no further."""


class Case:
    """A conversation; trace says what was sent, when."""

    def __init__(self, address, log, number, source):
        self.address, self.log, self.number, self.source = address, log, number, source
        self.loop = asyncio.get_running_loop()
        self.connection = None
        self.client = None
        self.keys = Clear
        self.is_good = True  # nothing yet that does not belong there
        self.has_end = False
        self.unsent = b""
        self.received = b""  # behind the handshake
        self.trace = []
        self.stages = ()
        self.strays = self.may("stray records", 0.3)

    def may(self, what, probability):
        is_so = self.source.random() < probability
        if is_so:
            self.trace.append(what)
        return is_so

    async def send(self):
        wire, self.unsent = self.unsent, b""
        n_cuts = self.source.choice([0, 0, 0, 0, 1, 3])
        cuts = sorted(self.source.randrange(len(wire) + 1) for _ in range(n_cuts))
        for at, end in zip([0, *cuts], [*cuts, len(wire)]):
            if at == end:
                continue
            self.trace.append(wire[at:end])
            try:
                await asyncio.wait_for(self.loop.sock_sendall(self.connection, wire[at:end]),
                                       PATIENCE_S)
            except (OSError, asyncio.TimeoutError) as reason:
                raise Ended from reason
            await asyncio.sleep(0.001 if end < len(wire) else 0)

    async def read(self):
        if self.unsent:
            await self.send()
        try:
            received = await asyncio.wait_for(self.loop.sock_recv(self.connection, 65536),
                                              PATIENCE_S if self.is_good else RELUCTANCE_S)
        except asyncio.TimeoutError:
            assert not self.is_good, "no answer"
            raise Ended from None
        except OSError as reason:
            raise Ended from reason
        if not received:
            raise Ended
        self.trace.append(f"read {len(received)}")
        return received

    async def say(self, kind, content):
        """Sends what belongs there, alone or together with what follows."""
        n_times = 1
        if self.strays and self.source.random() < 0.1:
            n_times = self.source.choice([0, 0, 2])
            self.trace.append(f"{n_times} times")
            self.is_good = False
        for _ in range(n_times):
            self.unsent += self.keys.seal(kind, content)
        if self.source.random() < 0.6:
            await self.send()

    def seal(self, kind, content):
        """With the keys that are right there, mostly."""
        keys = self.keys
        if self.source.random() < 0.3:
            keys = self.source.choice([Clear, Clear, self.client and self.client.keys or Clear])
        if keys is not Clear and self.source.random() < 0.03:
            keys.sequence += 1
        version = b"\x03\x03" if self.source.random() < 0.9 else self.source.choice(VERSIONS)
        sealed = keys.seal(kind, content, version=version,
                           padding=self.source.choice([0, 0, 0, 0, 1, 100, 16000]))
        if isinstance(keys, Keys) and content[:1] == b"\x18" and self.source.random() < 0.7:
            keys.update()
        return sealed

    async def attack(self):
        self.is_good = False
        pieces = []
        for _ in range(self.source.choice([1, 1, 1, 1, 2, 2, 3, 5, 20])):
            kind, content = self.source.choice(RECORDS)(self.source)
            pieces += [self.seal(kind, content)
                       for _ in range(self.source.choice([1] * 16 + [2, 30]))]
        if self.may("reordered", 0.1):
            self.source.shuffle(pieces)
        if self.may("mutated", 0.1):
            at = self.source.randrange(len(pieces))
            pieces[at] = mutate(self.source, pieces[at], BINARY)
        if self.may("truncated", 0.1):
            pieces[-1] = pieces[-1][:self.source.randrange(len(pieces[-1]) + 1)]
        self.unsent += b"".join(pieces)
        behind = self.source.choice(NOT_RECORDS) if self.source.random() < 0.4 else b""
        if not self.may("later", 0.2):
            self.unsent += behind
            behind = b""
        if behind or self.source.random() < 0.6:
            await self.send()
            await asyncio.sleep(self.source.choice([0, 0, 0.005]))
        self.unsent += behind

    async def stage(self, name):
        if name not in self.stages:
            return
        self.trace.append(name)
        await self.attack()
        if self.may("the end", 0.4):
            raise Ended

    async def say_hello(self, wire):
        """Whole, or cut where another record may come between."""
        await self.stage("before the hello")
        at = self.source.randrange(1, len(wire) - 5)
        way = self.source.choice(["whole", "whole", "in records", "in segments"])
        if way == "whole" and "in the hello" not in self.stages:
            self.unsent += wire
        elif way == "in records":
            self.unsent += record(HANDSHAKE, wire[5:5 + at], b"\x03\x01")
            await self.stage("in the hello")
            self.unsent += record(HANDSHAKE, wire[5 + at:], b"\x03\x01")
        else:
            self.unsent += wire[:at]
            if self.source.random() < 0.5:
                await self.send()
            await self.stage("in the hello")
            self.unsent += wire[at:]
        await self.stage("behind the hello")

    async def say_flight(self):
        await self.stage("after the server's flight")
        for at, (keys, kind, content) in enumerate(self.client.flight):
            self.keys = keys
            await self.stage("before a message of ours")
            if at == len(self.client.flight) - 1:
                await self.stage("before Finished")
            await self.say(kind, content)
        self.keys = self.client.keys
        await self.stage("behind Finished")

    async def converse(self, version):
        self.client = KeyedClient(self.log, version, HOST)
        await self.say_hello(self.client.hello)
        try:
            while not self.client.take(await self.read()):
                pass
        except ssl.SSLError as reason:
            assert not self.is_good, reason
            raise Ended from None
        await self.say_flight()
        cut = self.source.randrange(len(REQUEST))
        await self.say(APPLICATION_DATA, REQUEST[:cut])
        await self.stage("in the request")
        await self.say(APPLICATION_DATA, REQUEST[cut:])
        await self.stage("behind the request")
        if self.source.random() < 0.7:
            self.received += await self.read()
        await self.stage("after the answer")
        await self.say(ALERT, CLOSE_NOTIFY)
        await self.stage("behind close_notify")

    async def converse_retried(self):
        """A hello without a key share, then one with a share whose key nobody has."""
        await self.say_hello(client_hello(server_name(HOST.encode()), has_share=False))
        await self.read()
        await self.stage("after HelloRetryRequest")
        self.unsent += client_hello(server_name(HOST.encode()))
        await self.stage("behind the second hello")
        await self.read()
        await self.stage("after the server's flight")
        await self.say(CHANGE_CIPHER_SPEC, b"\1")
        await self.say(APPLICATION_DATA, self.source.randbytes(69))

    async def run(self):
        self.connection = socket.socket()
        self.connection.setblocking(False)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await self.loop.sock_connect(self.connection, self.address)
        way = self.source.choice([TLS_1_3, TLS_1_3, TLS_1_2, None])
        self.trace.append(way.name if way else "retried")
        self.stages = self.source.sample(STAGES if way else RETRY_STAGES + STAGES[:3],
                                         self.source.choice([1, 1, 1, 1, 2]))
        end = self.source.choice(["FIN", "RST", "stay", "stay", "stay"])
        with contextlib.suppress(Ended):
            await (self.converse(way) if way else self.converse_retried())
        with contextlib.suppress(Ended):
            await self.send()
        self.trace.append(end)
        if end == "RST":
            reset(self.connection)
        elif end == "FIN":
            self.has_end = True
            end_sending(self.connection)

    def finish(self):
        """Reads what has come, to the end if there is one, and looks at it."""
        with self.connection:
            if self.connection.fileno() < 0:
                return
            if not self.has_end:
                end_sending(self.connection)
            self.received += read_to_end(self.connection, PATIENCE_S)
        if self.client and self.client.flight:
            fuzzing.check_answers(self.client.decrypt(self.received))

    def __str__(self):
        return f"case {self.number}:\n" + "\n".join(
            f"    {step.hex(' ') if isinstance(step, bytes) else step}" for step in self.trace)


def is_busy(target):
    """Whether the daemon turns without a reason; a moment is enough if it does not."""
    for seconds in (0.01, 0.5):
        used_s = target.used_cpu_s()
        time.sleep(seconds)
        if target.used_cpu_s() - used_s < seconds * BUSY:
            return False
    return True


async def run_cases(cases):
    for result in await asyncio.gather(*(case.run() for case in cases), return_exceptions=True):
        if result:
            raise result


class Fuzzer:
    def __init__(self):
        self.log = self.target = None

    def fuzz(self, target, seed, numbers):
        if target is not self.target:
            self.target = target
            self.log = KeyLog(None, target.config_path.with_name("keys"))
        cases = []

        async def run():
            cases.extend(Case(target.address, self.log, number, random.Random(f"{seed}/{number}"))
                         for number in numbers)
            await run_cases(cases)

        try:
            asyncio.run(run())
            for _ in range(FETCHES_A_CHECK):
                target.fetch(timeout_s=PATIENCE_S)
            assert not is_busy(target), "no fetch, and yet it is busy"
            for case in cases:
                case.finish()
        except Exception:
            if len(cases) == 1:
                print(cases[0], file=sys.stderr)
            raise
        finally:
            for case in cases:
                case.connection.close()


if __name__ == "__main__":
    fuzzing.main(Fuzzer().fuzz, CASES_A_CHECK)
