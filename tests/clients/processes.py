# SPDX-License-Identifier: MIT
"""Programs under test and beside it: started, waited for with a deadline, ended by their id."""

import contextlib
import subprocess
import time

DEADLINE_S = 20


def eventually(probe, what, deadline_s=DEADLINE_S):
    """The first true result of probe(), which may raise until then; fails at the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        failure = None
        try:
            result = probe()
            if result:
                return result
        except Exception as exception:
            failure = exception
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what}") from failure
        time.sleep(0.02)


def run(*command, stdin="", status=0, deadline_s=DEADLINE_S, **options):
    """What a program prints on standard output, CRLF as it is. It has to end with `status`."""
    done = subprocess.run([str(word) for word in command], input=stdin.encode(), timeout=deadline_s,
                          stdout=subprocess.PIPE, check=False, **options)
    printed = done.stdout.decode()
    assert done.returncode == status, f"{command}: ended with {done.returncode}:\n{printed}"
    return printed


@contextlib.contextmanager
def running(*command, log, is_ready, status=0):
    """Runs a program in the foreground while the block runs; it has to end with `status`."""
    with open(log, "wb") as output:
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.STDOUT)
    try:
        eventually(lambda: process.poll() is not None or is_ready(), f"{command[0]} is ready")
        assert process.poll() is None, f"{command}: has ended:\n{log.read_text()}"
        yield process
        process.terminate()
        assert process.wait(DEADLINE_S) == status, \
            f"{command}: ended with {process.returncode}:\n{log.read_text()}"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
