#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fuzzes whole connections: mutated requests, in TLS and plain, and mutated ClientHellos.

Usage: fuzz_connections.py SECONDS [SEED [FIRST]]; MTA_STSD is the path of the program.

What comes back has to be nothing, or answers that we give. More is said in fuzzing.py.
"""

import pathlib
import random
import re
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "integration"))

# pylint: disable=wrong-import-position
import fuzzing  # noqa: E402
from client import POLICY_PATH, request  # noqa: E402
from fuzzing import BINARY, mutate  # noqa: E402
from target import HOST  # noqa: E402
from wire import (TlsClient, client_hello, end_sending, extension,  # noqa: E402
                  read_to_end, reset, send_all_it_takes, server_name)

CASES_A_CHECK = 500
POST = f"POST {POLICY_PATH} HTTP/1.1\r\nHost: {HOST}\r\n"
SEEDS = [
    request(HOST),
    request(HOST, version="1.0"),
    request(None, version="1.0"),
    request(HOST, method="HEAD"),
    request(HOST, path=f"https://{HOST}{POLICY_PATH}"),
    request(HOST, headers=["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
                           "HTTP2-Settings: AAMAAABkAAQAAP__"]),
    request(HOST, headers=["Range: bytes=0-", 'If-None-Match: "x"', "Accept-Encoding: gzip",
                           "Cookie: a=b", "Expect: 100-continue", "Content-Length: 0"]),
    (POST + "Content-Length: 11\r\n\r\nhello world").encode(),
    (POST + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello").encode(),
    (POST + "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n").encode(),
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
]
TOKENS = [b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"\r\n ", b"\r\n\r\n", b"HTTP/1.1",
          b"HTTP/1.0", b"Host: x\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n",
          b"Connection: keep-alive\r\n", b"Expect: 100-continue\r\n", b"%00", b"/../", b"?", b"#",
          b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"18446744073709551616", b"-1", b"\xff" * 9,
          b"Upgrade: h2c\r\n", b"http://", b"X: " + b"a" * 9000 + b"\r\n", b"X: y\r\n" * 120]


def insert(source, data):
    at = source.randrange(len(data) + 1)
    data[at:at] = source.choice(TOKENS)


def swap_lines(source, data):
    lines = data.split(b"\r\n")
    source.shuffle(lines)
    data[:] = b"\r\n".join(lines)


def number(source, data):
    numbers = list(re.finditer(rb"\d+", data))
    if numbers:
        found = source.choice(numbers)
        data[found.start():found.end()] = source.choice(
            [b"0", b"1", b"65535", b"65536", b"2147483648", b"4294967295", b"18446744073709551615",
             b"%d" % source.randrange(1 << 20)])


def append_another(source, data):
    data += source.choice(SEEDS)


MUTATIONS = BINARY + [insert, insert, swap_lines, number, append_another]


def make_hello(source):
    extensions = [extension(source.choice([1, 5, 10, 13, 16, 18, 21, 22, 23, 35, 41, 42, 43, 44, 45,
                                           50, 51, 13172, 65281, source.randrange(65536)]),
                            source.randbytes(source.choice([0, 1, 2, 5, 32, 300])))
                  for _ in range(source.choice([0, 0, 1, 3]))]
    names = [source.choice([HOST.encode(), source.randbytes(20)])] * source.choice([0, 1, 1, 1, 2])
    hello = client_hello(server_name(*names), *extensions,
                         versions=source.choice([(0x304, 0x303), (0x303,), (0x7f1c,)]))
    return mutate(source, hello, BINARY)


class Fuzzer:
    def __init__(self, target, seed):
        self.target, self.seed = target, seed

    def send(self, source, connection, data):
        """In some pieces, and then an end or a reset; what comes back."""
        cuts = sorted(source.randrange(len(data) + 1) for _ in range(source.choice([0, 0, 1, 3])))
        for at, end in zip([0, *cuts], [*cuts, len(data)]):
            if not send_all_it_takes(connection, data[at:end]):
                break
        if source.random() < 0.1:
            reset(connection)
            return b""
        end_sending(connection)
        return read_to_end(connection)

    def hello(self, source):
        with self.target.connect() as connection:
            return self.send(source, connection, make_hello(source)) and b""

    def secure(self, source):
        with self.target.connect() as connection:
            client = TlsClient(self.target.context, HOST)
            flight = client.shake_with(connection)
            data = mutate(source, source.choice(SEEDS), MUTATIONS)
            wire = flight + client.encrypt(data) if data else flight
            if source.random() < 0.2:
                wire = mutate(source, wire, BINARY)
            return client.decrypt(self.send(source, connection, wire))

    def plain(self, source):
        with self.target.connect_unix() as connection:
            return self.send(source, connection, mutate(source, source.choice(SEEDS), MUTATIONS))

    def run_case(self, case):
        source = random.Random(f"{self.seed}/{case}")
        received = source.choice([self.hello, self.secure, self.plain, self.plain])(source)
        fuzzing.check_answers(received)


def fuzz(target, seed, cases):
    fuzzer = Fuzzer(target, seed)
    for case in cases:
        fuzzer.run_case(case)
    target.fetch()


if __name__ == "__main__":
    fuzzing.main(fuzz, CASES_A_CHECK)
