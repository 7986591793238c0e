# SPDX-License-Identifier: MIT
"""Little memory: a start that does not fit ends in a sentence, a reload is refused in one."""

import contextlib
import pathlib
import re
import signal
import subprocess

import pytest

from client import connect_tls, fetch, policy_body, request, tls_context
from daemon import PATIENCE_S, PROGRAM, write_configuration
from operated import HOST, configuration, operate_in_test  # noqa: F401

IS_SANITIZED = any(name in pathlib.Path(PROGRAM).read_bytes()
                   for name in (b"__asan_init", b"__tsan_init"))
pytestmark = pytest.mark.skipif(IS_SANITIZED, reason="sanitizers reserve terabytes")


def many(count):
    return {f"d{i}.example": {"mx": ["mx.example.com"]} for i in range(count)}


@pytest.mark.parametrize("megabytes", [14, 16, 18])
def test_start(pki, tmp_path, megabytes):
    """Too little to start with ends in a sentence, wherever it runs out."""
    config = write_configuration(tmp_path / "mta-stsd.yaml",
                                 configuration(pki, tmp_path, many(20000)))
    process = subprocess.run(["prlimit", f"--as={megabytes << 20}", PROGRAM, "-c", config],
                             capture_output=True, timeout=PATIENCE_S, check=False)
    assert process.returncode in (3, -signal.SIGABRT)
    # The last is libh2o's own.
    assert re.search(rb"mta-stsd: (out of memory|a worker's thread cannot be started)|"
                     rb"fatal:.*:no memory", process.stderr), process.stderr


def test_reload(operate, pki, tmp_path):
    """Whatever the size, the daemon goes on."""
    def settings(count):
        domains = {"example.com": {"mx": ["mx.example.com"]}, **many(count)}
        return configuration(pki, tmp_path, domains, limits={"removed": "100%"})

    def served():
        return fetch(daemon.address, HOST, tls_context(pki)).body

    daemon = operate(settings(0))
    assert daemon.ask("--reload").returncode == 0 and served() == policy_body("mx.example.com")
    in_use = int(re.search(r"VmSize:\s+(\d+) kB", pathlib.Path(
        f"/proc/{daemon.process.pid}/status").read_text())[1]) << 10
    subprocess.run(["prlimit", f"--pid={daemon.process.pid}", f"--as={in_use + (32 << 20)}"],
                   check=True)
    outcomes = []
    for count in (100, 600000, 100, 250000, 200000, 150000, 100):
        process = daemon.change(settings(count))
        outcomes.append(process.returncode)
        assert process.returncode == 0 or b"not enough memory" in process.stdout + process.stderr
        assert served() == policy_body("mx.example.com")
    assert outcomes[1] == 1 and outcomes[0] == outcomes[2] == outcomes[-1] == 0, outcomes


def test_small_stack(operate, pki, tmp_path):
    """What a peer sends is never as large as a worker's stack, whatever the shell's limit is."""
    config = configuration(pki, tmp_path)
    daemon = operate(config, wrapper=["prlimit", f"--stack={192 << 10}"])
    for size in (60_000, 400_000):
        with connect_tls(daemon.address, HOST, tls_context(pki)) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(request(HOST, headers=["X" * size + ": y"]))
                connection.recv(100)
    assert fetch(daemon.address, HOST, tls_context(pki)).body == policy_body("mx.example.com")
    assert daemon.ask("--reload").returncode == 0
