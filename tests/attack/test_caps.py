# SPDX-License-Identifier: MIT
"""More connections than there may be: the oldest that has not asked goes, who asks is answered."""

import resource
import time

import pytest

from namespace import ATTACKERS, ATTACKER_V6, FETCHER, FETCHER_V6, SERVER_V6
from target import Target, eventually, flood, nothing_lost
from test_slow import is_ended

CAP = 40


@pytest.fixture(name="capped")
def target_with_low_caps(pki, tmp_path):
    with Target(tmp_path, pki, workers=1, limits={"connections": CAP, "per_source": 10}) as target:
        target.fetch()
        with nothing_lost(target):
            yield target


def open_until_counted(target, sources, **options):
    n_before = target.metric("connections_opened_total")
    connections = [target.connect(source, **options) for source in sources]
    eventually(lambda: target.metric("connections_opened_total") == n_before + len(connections),
               "all are accepted")
    return connections


def close_all(connections):
    for connection in connections:
        connection.close()


def test_oldest_goes(capped):
    connections = open_until_counted(capped, ATTACKERS[:CAP + 25])
    eventually(lambda: capped.ended("evicted") == 25, "25 are evicted")
    eventually(lambda: all(is_ended(connection) for connection in connections[:25]),
               "the oldest are")
    assert not any(is_ended(connection) for connection in connections[25:])
    assert capped.metric("connections_open") == CAP
    for _ in range(5):
        capped.fetch()
    close_all(connections)


@pytest.mark.parametrize("address, one, others", [
    (None, [ATTACKERS[0]] * 30, [FETCHER, *ATTACKERS[1:5]]),
    (SERVER_V6, [ATTACKER_V6.format(i) for i in range(1, 31)], [FETCHER_V6, "2001:db8:b::1"]),
], ids=["address", "network of 64 bits"])
def test_one_source_against_many(capped, address, one, others):
    address = address and (address, capped.port)
    kept = open_until_counted(capped, others, address=address)
    connections = open_until_counted(capped, one, address=address)
    eventually(lambda: capped.ended("evicted") == 20, "20 are evicted")
    assert [is_ended(connection) for connection in connections] == [True] * 20 + [False] * 10
    assert not any(is_ended(connection) for connection in kept)
    latencies = capped.fetch_for(0.5, source=others[0], address=address)
    latencies.failures += capped.fetch_for(0.5, source=one[0], address=address).failures
    assert not latencies.failures
    close_all(kept + connections)


@pytest.mark.parametrize("workers, per_source, n_connections",
                         [(8, 16, 12), (8, 16, 16), (64, 256, 256)])
def test_many_workers_below_the_cap(pki, tmp_path, workers, per_source, n_connections):
    """However unevenly the kernel spreads one source's connections, none of them is too many."""
    with Target(tmp_path, pki, workers=workers, limits={"per_source": per_source}) as target:
        with nothing_lost(target):
            connections = open_until_counted(target, [ATTACKERS[0]] * n_connections)
            assert not any(is_ended(connection) for connection in connections)
            assert target.ended("evicted") + target.ended("refused") == 0
            target.fetch()
            close_all(connections)


def test_many_workers_above_the_cap(pki, tmp_path):
    """Each connection that is too many costs an older one at its worker, or is refused there."""
    with Target(tmp_path, pki, workers=8, limits={"per_source": 16}) as target:
        with nothing_lost(target):
            connections = open_until_counted(target, [ATTACKERS[0]] * 40)
            eventually(lambda: target.ended("evicted") + target.ended("refused") == 24, "24 go")
            assert [is_ended(connection) for connection in connections].count(False) == 16
            assert not target.fetch_for(0.5, source=FETCHER).failures
            close_all(connections)


def test_many_workers_and_few_connections(pki, tmp_path):
    """The cap over all holds for all workers together, and no worker is locked out by others."""
    with Target(tmp_path, pki, workers=8, limits={"connections": 16}) as target:
        with nothing_lost(target):
            connections = open_until_counted(target, ATTACKERS[:16])
            assert not any(is_ended(connection) for connection in connections)
            connections += open_until_counted(target, ATTACKERS[16:80])
            eventually(lambda: target.metric("connections_open") <= 16, "16 are left")
            latencies = target.fetch_for(1)
            assert not latencies.failures and latencies.seconds
            assert target.ended("refused") == 0
            close_all(connections)


def test_loopback_is_no_source(capped):
    """A proxy on this machine stands for everybody: only the cap over all holds."""
    connections = open_until_counted(capped, ["127.0.0.1"] * 20, address=("127.0.0.1", capped.port))
    assert capped.ended("evicted") == 0
    close_all(connections)


def test_flood_of_one_source(target):
    """At full speed, against one who fetches from elsewhere."""
    with flood("connections", target.address, 4000, 30, ATTACKERS[:1]):
        latencies = target.fetch_for(5)
    print(latencies)
    assert not latencies.failures and latencies.seconds


STRIKES = 64  # evictions by per_source within seconds, after which the source is refused
FEW = 40


def test_few_strikes(capped):
    """A busy source that is a little over its share goes on to be served."""
    connections = open_until_counted(capped, ATTACKERS[:1] * (10 + FEW))
    eventually(lambda: capped.ended("evicted") == FEW, f"{FEW} are evicted")
    capped.fetch(ATTACKERS[0])
    assert capped.ended("refused") == 0
    close_all(connections)


def test_strikes(capped):
    """A source that goes on is refused, and no longer when it has stopped; others are served."""
    attacker, neighbour = ATTACKERS[:2]
    kept = open_until_counted(capped, [neighbour])
    connections = open_until_counted(capped, [attacker] * (10 + 2 * STRIKES))
    eventually(lambda: capped.ended("refused") > 0, "it is refused")
    assert STRIKES <= capped.ended("evicted") < 2 * STRIKES
    with pytest.raises(OSError):
        capped.fetch(attacker)
    for source in (FETCHER, neighbour):
        capped.fetch(source)
    assert not any(is_ended(connection) for connection in kept)
    close_all(kept + connections)
    eventually(lambda: is_answered(capped, attacker), "it is served again")


def is_answered(target, source):
    """Whether a fetch is; a failed attempt is no attack, so they are a second apart."""
    latencies = target.fetch_for(1, pause_s=1, source=source)
    return not latencies.failures


def test_handshakes_of_one_source(target):
    """1,000 at full speed without Finished: each costs a signature, until there are no more."""
    attacker = ATTACKERS[0]
    n_evicted, n_refused = target.ended("evicted"), target.ended("refused")
    with flood("no-finished", target.address, 1000, 60, [attacker]):
        eventually(lambda: target.ended("refused") > n_refused, "it is refused")
        start, used_s = time.monotonic(), target.used_cpu_s()
        with target.fetched_meanwhile():
            latencies = target.fetch_for(5, source=ATTACKERS[1])
        used_s, seconds = target.used_cpu_s() - used_s, time.monotonic() - start
    n_evicted, n_refused = target.ended("evicted") - n_evicted, target.ended("refused") - n_refused
    print(f"{latencies}; {n_evicted} evicted, {n_refused} refused; "
          f"{used_s:.1f} s of CPU time in {seconds:.1f} s")
    assert not latencies.failures and latencies.seconds
    assert n_refused > 10 * n_evicted, "it is let in too often"
    eventually(lambda: is_answered(target, attacker), "it is served again")


def test_flood_of_many_sources(target):
    """Beyond the default cap over all, of 10,000."""
    with flood("idle", target.address, 12_000, 30, ATTACKERS):
        latencies = target.fetch_for(5)
    print(latencies)
    assert not latencies.failures and latencies.seconds
    assert target.ended("evicted") > 0


@pytest.mark.parametrize("kind", ["connections", "handshakes", "resets"])
def test_flood(target, kind):
    with flood(kind, target.address, 100, 30, ATTACKERS):
        latencies = target.fetch_for(5)
    print(latencies)
    assert not latencies.failures and latencies.seconds


def test_no_descriptor_left(pki, tmp_path):
    """Nothing can be accepted: it waits without spinning, and goes on where it can."""
    with Target(tmp_path, pki) as target:
        target.fetch()
        pid = target.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        with nothing_lost(target):
            low = target.count_descriptors() + 8
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (low, before[1]))
            connections = [target.connect(source) for source in ATTACKERS[:40]]
            time.sleep(0.5)
            start, used_s = time.monotonic(), target.used_cpu_s()
            time.sleep(2)
            assert target.used_cpu_s() - used_s < (time.monotonic() - start) / 2
            close_all(connections)
            latencies = target.fetch_for(1)
            assert not latencies.failures
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
