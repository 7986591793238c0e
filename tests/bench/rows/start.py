# SPDX-License-Identifier: MIT
"""From exec to the first good fetch, and the memory then and after each host was fetched once."""

import statistics

from bench import Row
from peers import PEERS

STARTS = 5
MEASURES = [("ready to serve, {:,} domains", "s"), ("memory then, {:,} domains", "MiB"),
            ("memory after each was fetched once, {:,} domains", "MiB")]


def once(server, bench):
    """Returns seconds until ready, MiB then, MiB after each host was fetched."""
    with server:
        then = server.resident_mib()
        server.settle()
        bench.fetch_each(server)
        return server.ready_s, then, server.resident_mib()


def often(make, bench):
    """Of a server that is quick to start, the median."""
    ready, then, after = once(make(), bench)
    times = [ready]
    while len(times) < STARTS:
        with make() as server:
            times.append(server.ready_s)
    return statistics.median(times), then, after


def rows(n, ours, peer=(None, None, None), name="", goals=("", "", "")):
    for (measure, unit), a, b, goal in zip(MEASURES, ours, peer, goals):
        yield Row(measure.format(n), a, unit, b, name, goal=goal)


def measure(bench):
    hosts, options = bench.hosts(bench.options.hosts), bench.options
    ours = often(lambda: bench.ours(hosts), bench)
    goals = ("0.3 s", "40 MiB", "150 MiB")
    if options.versus:
        yield from rows(hosts.n, ours, often(lambda: bench.other(hosts), bench), "versus", goals)
        return
    yield from rows(hosts.n, ours, goals=goals)
    hosts = bench.hosts(options.peer_hosts)
    ours = often(lambda: bench.ours(hosts), bench)
    for name in options.peers:
        yield from rows(hosts.n, ours, once(PEERS[name](bench.folder(name), hosts), bench), name)
