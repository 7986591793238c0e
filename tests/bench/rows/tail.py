# SPDX-License-Identifier: MIT
"""How long the slowest fetches take when the server is half busy."""

import statistics

from bench import PINNED, Row, running

SATURATING = 64  # connections at a time


def saturation(bench, server):
    """Fetches a second that one core can serve."""
    rates = [bench.load(server, "--fetches", bench.fetches_a_round(), "--seed", i + 1,
                        "--connections", SATURATING)["per_second"] for i in range(3)]
    return statistics.median(rates)


def measure(bench):
    hosts = bench.hosts_in_store()
    with running(bench.ours(hosts, PINNED), bench.other(hosts, PINNED)) as servers:
        for server in servers:
            bench.fetch_each(server)
        most = [saturation(bench, server) for server in servers]
        rate = min(most) / 2
        values = bench.paired(*servers, lambda server, i: bench.load(
            server, "--fetches", bench.fetches_a_round(), "--seed", i, "--rate", rate,
            "--connections", 10000)["p99_ms"])
    name = servers[1].name
    yield Row("fetches a second at saturation", most[0], "", most[1], name)
    yield Row(f"99th percentile at {rate:,.0f} a second", values[0], "ms", values[1], name,
              values[2], "1")
