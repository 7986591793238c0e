#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fuzzes whole connections: mutated requests, in TLS and plain, and mutated ClientHellos.

Usage: fuzz_connections.py SECONDS [SEED [FIRST]]; MTA_STSD is the path of the program.

Each case depends on the seed and its number alone, so that FIRST repeats one that was found. What
comes back has to be nothing, or answers that we give; the policy never has other bytes; and between
cases fetches go on. The daemon's end has to be orderly, which a sanitizer's finding is not.
"""

import pathlib
import random
import re
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).parents[1] / "integration"))

# pylint: disable=wrong-import-position
import namespace  # noqa: E402
from client import POLICY_PATH, request  # noqa: E402
from pki import Pki  # noqa: E402
from target import BODY, HOST, Target, nothing_lost  # noqa: E402
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
STATUSES = {b"100", b"200", b"400", b"404", b"405", b"413", b"417", b"421", b"431"}


def flip(source, data):
    data[source.randrange(len(data))] ^= 1 << source.randrange(8)


def replace(source, data):
    data[source.randrange(len(data))] = source.randrange(256)


def insert(source, data):
    at = source.randrange(len(data) + 1)
    data[at:at] = source.choice(TOKENS)


def delete(source, data):
    at = source.randrange(len(data))
    del data[at:at + source.choice([1, 1, 2, 4, 16, 100])]


def double(source, data):
    at, end = sorted(source.randrange(len(data) + 1) for _ in range(2))
    data[at:at] = data[at:end] * source.choice([1, 1, 1, 2, 50])


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


BINARY = [flip, replace, delete, double]
MUTATIONS = BINARY + [insert, insert, swap_lines, number, append_another]


def mutate(source, data, mutations):
    data = bytearray(data)
    for _ in range(source.choice([0, 1, 1, 2, 3, 5, 10])):
        if data:
            source.choice(mutations)(source, data)
    return bytes(data[:400_000])


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
        assert received == b"" or received.startswith(b"HTTP/1.1 "), received[:100]
        for answer in re.split(rb"(?=HTTP/1\.1 \d\d\d )", received):
            assert answer == b"" or answer[9:12] in STATUSES, answer[:100]
            _, _, body = answer.partition(b"\r\n\r\n")
            assert answer[9:12] != b"200" or BODY.startswith(body), answer

    def run(self, seconds, first):
        end = time.monotonic() + seconds
        case = first
        while time.monotonic() < end:
            try:
                self.run_case(case)
                if case % CASES_A_CHECK == 0:
                    self.target.fetch()
            except Exception:
                print(f"seed {self.seed}, case {case}:", file=sys.stderr)
                raise
            case += 1
        return case - first


def main():
    given = [int(argument) for argument in sys.argv[1:]]
    seconds, seed, first = given + [60, 1, 0][len(given):]
    namespace.enter()
    print(f"seed {seed}, from case {first}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with Target(folder, Pki(folder / "pki", HOST, "policy.provider.example")) as target:
            for _ in range(8):
                target.fetch()
            with nothing_lost(target):
                n_cases = Fuzzer(target, seed).run(seconds, first)
            print(f"{n_cases} cases, resident {target.resident_kib()} kB")


if __name__ == "__main__":
    main()
