# SPDX-License-Identifier: MIT
"""Connections that hold memory: the daemon stays within its own, and fetches beside them go on.

The daemon runs with default limits in a memory cgroup of 128 MB. Where none can be made, and with a
sanitizer, whose own memory does not fit, limits.memory stands for it.
"""

import contextlib
import time

import pytest

from cgroup import MemoryCgroup, NotPermitted
from daemon import IS_SANITIZED
from namespace import ATTACKERS, SERVER
from target import Target, eventually, flood

MEMORY_BYTES = 128 << 20
LISTEN = [{"address": "[::]:0"}, {"address": "0.0.0.0:0", "tls": False}]
# Sanitizers put room around each allocation and keep freed ones for a while; and a fetch takes some
# times longer, while as many more connections come that want the memory of its own.
SANITIZED_FACTOR = 3 if IS_SANITIZED else 1
LIMIT_BYTES = MEMORY_BYTES // 2 * SANITIZED_FACTOR
FLOOD_S = 60
FETCH_S = 4
SIZES = [(100, 4000), (10_000, 4000), (60_000, 2500), (400_000, 1000)]
FLOODS = [("idle", 10_000), ("half-hello", 4000), ("claimed-hello", 2000), ("no-finished", 4000),
          ("close-notify", 4), ("slow-headers", 2000), ("slow-read", 1000), ("churn", 4000),
          ("half-body-60000", 2500),
          *((f"header-{size}", n_connections) for size, n_connections in SIZES),
          *((f"plain-header-{size}", n_connections) for size, n_connections in SIZES)]


class Room:
    """What a daemon may use, and what it has used."""

    def __init__(self, target, cgroup):
        self.target, self._cgroup = target, cgroup
        self._before_kib = 0 if cgroup else target.resident_kib()

    def check(self):
        held = self.target.metric("connections_memory_bytes")
        assert held <= self.target.metric("connections_memory_limit_bytes") == LIMIT_BYTES

    def check_peak(self):
        peak_kib = self.target.peak_kib() - self._before_kib
        print(f"resident at most {peak_kib} KiB more than {self._before_kib}",
              f"peak of the cgroup {self._cgroup.peak_bytes() >> 10} KiB" if self._cgroup else "")
        assert peak_kib << 10 < LIMIT_BYTES * 2 * SANITIZED_FACTOR
        if self._cgroup:
            assert self._cgroup.peak_bytes() < MEMORY_BYTES, "the kernel had to reclaim"


@contextlib.contextmanager
def daemon_with_little_memory(pki, folder):
    with contextlib.ExitStack() as stack:
        cgroup, keys = None, {"limits": {"memory": f"{LIMIT_BYTES >> 20}M"}}
        if not IS_SANITIZED:
            with contextlib.suppress(NotPermitted):
                cgroup = stack.enter_context(MemoryCgroup(MEMORY_BYTES))
                keys = {"wrapper": cgroup.wrapper}
        target = stack.enter_context(Target(folder, pki, listen=LISTEN, **keys))
        for _ in range(8):
            target.fetch()
        yield Room(target, cgroup)


@pytest.mark.parametrize("kind, n_connections", FLOODS, ids=[kind for kind, _ in FLOODS])
def test_flood(pki, tmp_path, kind, n_connections):
    with daemon_with_little_memory(pki, tmp_path) as room:
        target = room.target
        address = (SERVER, target.addresses[1][1]) if kind.startswith("plain-") else target.address
        with flood(kind, address, n_connections, FLOOD_S, ATTACKERS):
            end = time.monotonic() + FETCH_S
            while time.monotonic() < end:
                latencies = target.fetch_for(0.5)
                assert target.process.poll() is None, "the daemon has ended"
                assert not latencies.failures and latencies.seconds
                room.check()
        room.check_peak()
        eventually(lambda: target.metric("connections_open") == 0, "no connection is counted")
        eventually(lambda: target.metric("connections_memory_bytes") == 0, "nothing is held")
        target.fetch()


HELD = ["idle", "half-hello", "claimed-hello", "no-finished", "header-100", "header-10000",
        "header-60000", "half-body-60000"]
N_HELD = 500
PLAY_BYTES = 1 << 20  # what malloc had free before, or took for more than what is held


@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer's memory is not reckoned with")
@pytest.mark.parametrize("kind", HELD)
def test_reckoning(pki, tmp_path, kind):
    """What connections are said to hold is what they hold."""
    with Target(tmp_path, pki) as target:
        for _ in range(8):
            target.fetch()
        before_kib, n_before = target.resident_kib(), target.metric("connections_memory_bytes")

        def is_held():
            """All have come, and nothing that they have sent is under way."""
            held = target.metric("connections_memory_bytes"), target.resident_kib()
            time.sleep(1)
            return (target.metric("connections_open") == N_HELD and
                    held == (target.metric("connections_memory_bytes"), target.resident_kib()))

        with flood(kind, target.address, N_HELD, FLOOD_S, ATTACKERS[:250]):
            eventually(is_held, f"{N_HELD} are held")
            reckoned = target.metric("connections_memory_bytes") - n_before
            grown = (target.resident_kib() - before_kib) << 10
        print(f"{kind}: reckoned {reckoned // N_HELD} bytes each, grown by {grown // N_HELD}")
        assert grown <= reckoned * 1.1 + PLAY_BYTES
        assert grown >= reckoned / 3 - PLAY_BYTES
