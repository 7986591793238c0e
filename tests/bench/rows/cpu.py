# SPDX-License-Identifier: MIT
"""CPU per fetch: user and system time of the server's processes."""

from bench import PINNED, Row, running

WORKERS_RATE = 1000  # fetches a second that leave room for a client on the same two cores


def pinned(bench):
    """Every certificate in the store, beside nginx, both on one core."""
    hosts = bench.hosts_in_store()
    with running(bench.ours(hosts, PINNED), bench.other(hosts, PINNED)) as servers:
        for server in servers:
            bench.fetch_each(server)
        values = bench.paired(*servers, lambda server, i: bench.cpu_us(
            server, "--fetches", bench.fetches_a_round(), "--seed", i))
    yield Row("CPU per fetch", values[0], "µs", values[1], servers[1].name, values[2],
              "0.80 of nginx's")


def not_in_store(bench):
    """Hosts in order, of more than the store holds: none is there when it is asked for again.
    Their files are in the page cache."""
    all_hosts, some = bench.hosts(bench.options.hosts), bench.hosts_in_store()
    n = bench.fetches_a_round()

    def measure_round(server, i):
        all_hosts.read_certificates(i * n, n)
        return bench.cpu_us(server, "--fetches", n, "--first", i * n)

    with running(bench.ours(all_hosts, PINNED, "all"), bench.ours(some, PINNED)) as servers:
        missing, kept = servers
        missing.settle()
        bench.fetch_each(kept)
        values = bench.paired(missing, kept, measure_round)
    yield Row("CPU per fetch, certificate not in the store", values[0], "µs", values[1],
              "in the store", values[2], "2.2")


def two_workers(bench):
    """At a rate that leaves both cores room, on both."""
    hosts = bench.hosts_in_store()
    with running(bench.ours(hosts, name="two", workers=2), bench.ours(hosts)) as servers:
        for server in servers:
            bench.fetch_each(server)
        n = bench.fetches_a_round()
        values = bench.paired(*servers, lambda server, i: bench.cpu_us(
            server, "--fetches", n, "--seed", i, "--rate", WORKERS_RATE, "--connections", 100,
            wrapper=()))
    yield Row("CPU per fetch, 2 workers", values[0], "µs", values[1], "1 worker", values[2], "1.05")


def measure(bench):
    yield from pinned(bench)
    if not bench.options.versus:
        yield from not_in_store(bench)
        yield from two_workers(bench)
