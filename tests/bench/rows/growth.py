# SPDX-License-Identifier: MIT
"""From 1,000 to 1,000,000 names: each row is compared with a tenth of its names.

At most 1,000 hosts have certificates and are fetched, the same ones in every size, so that what
grows is the configuration and what is found in it.
"""

import statistics

from bench import PINNED, Row

STEPS = [0.01, 0.1, 1, 10]  # times --hosts
N_FETCHED = 1000
STARTS = 3


def ready_s(make):
    with make() as server:
        return server.ready_s


def one_size(bench, n):
    """Returns seconds until ready, MiB, and the median time of a fetch in milliseconds."""
    hosts = bench.hosts(n, min(n, N_FETCHED))

    def make():
        return bench.ours(hosts, PINNED)

    with make() as server:
        server.settle()
        memory = server.resident_mib()
        bench.fetch_each(server)
        fetch_ms = bench.load(server, "--fetches", bench.fetches_a_round(), "--seed", 1,
                              "--connections", 1)["p50_ms"]
        times = [server.ready_s]
    while len(times) < STARTS:
        times.append(ready_s(make))
    return statistics.median(times), memory, fetch_ms


def measure(bench):
    smaller = None
    for step in STEPS:
        n = max(1, int(bench.options.hosts * step))
        size = one_size(bench, n)
        if smaller:
            for what, unit, ours, peer, goal in zip(
                    ("ready", "memory", "time of a fetch"), ("s", "MiB", "ms"), size, smaller[1],
                    ("10", "10", "1")):
                yield Row(f"{what}, {n:,} names", ours, unit, peer, f"{smaller[0]:,} names",
                          goal=goal)
        smaller = n, size
