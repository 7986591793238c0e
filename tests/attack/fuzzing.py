# SPDX-License-Identifier: MIT
"""What the fuzzers of connections share: mutations, what may come back, and the runner.

Each case depends on the seed and its number alone, so that FIRST repeats a case that was found.
Cases run in batches, and between batches fetches go on; when a batch has found something, its cases
run once more, each alone and on a fresh daemon until one finds it too. The daemon's end has to be
orderly, which a sanitizer's finding is not.
"""

import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import traceback

import namespace
from pki import Pki
from target import BODY, HOST, Target, nothing_lost

END_S = 10
STATUSES = {b"100", b"200", b"400", b"404", b"405", b"413", b"417", b"421", b"431"}


def flip(source, data):
    data[source.randrange(len(data))] ^= 1 << source.randrange(8)


def replace(source, data):
    data[source.randrange(len(data))] = source.randrange(256)


def delete(source, data):
    at = source.randrange(len(data))
    del data[at:at + source.choice([1, 1, 2, 4, 16, 100])]


def double(source, data):
    at, end = sorted(source.randrange(len(data) + 1) for _ in range(2))
    data[at:at] = data[at:end] * source.choice([1, 1, 1, 2, 50])


BINARY = [flip, replace, delete, double]


def mutate(source, data, mutations):
    data = bytearray(data)
    for _ in range(source.choice([0, 1, 1, 2, 3, 5, 10])):
        if data:
            source.choice(mutations)(source, data)
    return bytes(data[:400_000])


def check_answers(received):
    """They are answers that we give, and the policy never has other bytes."""
    assert received == b"" or received.startswith(b"HTTP/1.1 "), received[:100]
    for answer in re.split(rb"(?=HTTP/1\.1 \d\d\d )", received):
        assert answer == b"" or answer[9:12] in STATUSES, answer[:100]
        _, _, body = answer.partition(b"\r\n\r\n")
        assert answer[9:12] != b"200" or BODY.startswith(body), answer


class Found(Exception):
    """In these cases; the cause says what."""

    def __init__(self, cases):
        super().__init__(cases)
        self.cases = cases


class Runner:
    """fuzz(target, seed, cases) raises what it finds in a range of cases."""

    def __init__(self, folder, fuzz, seed, batch_size):
        self.folder, self.fuzz, self.seed, self.batch_size = folder, fuzz, seed, batch_size
        self.pki = Pki(folder / "pki", HOST, "policy.provider.example")

    @contextlib.contextmanager
    def _target(self):
        """A daemon that is ended by force where something was found: it may hang."""
        with Target(self.folder, self.pki) as target:
            for _ in range(8):
                target.fetch()
            try:
                with nothing_lost(target):
                    yield target
            except BaseException:
                target.process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    target.process.wait(END_S)
                target.process.kill()
                with contextlib.suppress(AssertionError):
                    target.wait_for_end()
                print("\n".join(target.log.lines[-100:]), file=sys.stderr)
                raise

    def _run_batch(self, target, cases):
        try:
            self.fuzz(target, self.seed, cases)
        except Exception as reason:
            raise Found(cases) from reason

    def run(self, seconds, first):
        end = time.monotonic() + seconds
        case = first
        with self._target() as target:
            while time.monotonic() < end:
                self._run_batch(target, range(case, case + self.batch_size))
                case += self.batch_size
            resident_kib = target.resident_kib()
        print(f"{case - first} cases, resident {resident_kib} kB")

    def find_case(self, cases):
        """Runs each of them alone and raises for the first that finds something."""
        with self._target() as target:
            for case in cases:
                self._run_batch(target, range(case, case + 1))


def main(fuzz, batch_size):
    """SECONDS [SEED [FIRST]]"""
    given = [int(argument) for argument in sys.argv[1:]]
    seconds, seed, first = given + [60, 1, 0][len(given):]
    namespace.enter()
    print(f"seed {seed}, from case {first}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        runner = Runner(pathlib.Path(name), fuzz, seed, batch_size)
        try:
            runner.run(seconds, first)
            return
        except Found as found:
            cases = found.cases
            print(f"found in cases {cases.start} to {cases.stop - 1}:", file=sys.stderr)
            traceback.print_exc()
        try:
            runner.find_case(cases)
            print("not found by any of them alone", file=sys.stderr)
        except Found as found:
            print(f"seed {seed}, case {found.cases.start}: {found.__cause__!r}", file=sys.stderr)
    sys.exit(1)
