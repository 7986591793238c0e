# SPDX-License-Identifier: MIT
"""Reloads with one policy changed, while fetches of other hosts go on."""

import re
import signal
import statistics
import time

from bench import ALL_IN_STORE, Row
from hosts import body, domain, policy_host
from servers import fetch

RELOADS = 20
PAUSE_S = 2  # from one reload to the next
RATE = 300  # fetches a second meanwhile
PROBE_S = 0.02  # from one look for the new policy to the next, lest the looks be what is measured
IN_A_ROW = 20  # fetches that two workers would not all answer anew unless both do
WEEKS = (3, 4)  # of max_age, in turn


def wait_until_served(server, host, text):
    """Returns when the first of the fetches began that all had the new policy."""
    n_new = 0
    while n_new < IN_A_ROW:
        now = time.monotonic()
        if fetch(server.port, host) == text:
            first = now if n_new == 0 else first
            n_new += 1
        else:
            n_new = 0
            time.sleep(PROBE_S)
    return first


def name_of(weeks):
    return f"{weeks}-weeks.yaml"


def write_configurations(server):
    last = domain(server.hosts.n - 1)
    for weeks in WEEKS:
        server.write_configuration(name_of(weeks),
                                   f"  {last}: {{policy: standard, max_age: {weeks}w}}\n")


def reload_once(server, number):
    """Seconds from the signal to the new policy of the last host, served by every worker."""
    i, weeks = server.hosts.n - 1, WEEKS[number % 2]
    server.put_in_place(name_of(weeks))
    start = time.monotonic()
    server.process.send_signal(signal.SIGHUP)
    text = body("mx1.provider.example", "mx2.provider.example", max_age=weeks * 7 * 86400)
    return wait_until_served(server, policy_host(i), text) - start


def status_mib(server, key):
    """Of the daemon itself, pages that it shares with others too: a peak is told in no other way."""
    return int(re.search(rf"{key}:\s+(\d+)", server.read_proc("status"))[1]) / 1024


def forget_peak(server):
    with open(f"/proc/{server.process.pid}/clear_refs", "w", encoding="ascii") as out:
        out.write("5")


def one(server, bench, empty_mib):
    """Returns the values of the rows below."""
    others = bench.hosts(min(ALL_IN_STORE, server.hosts.n - 1)).targets
    load = ["--rate", RATE, "--connections", 100, "--seed", 1,
            "--fetches", RATE * RELOADS * PAUSE_S]
    write_configurations(server)
    with server:
        snapshot_mib = status_mib(server, "VmRSS") - empty_mib
        server.settle()
        bench.load(server, "--fetches", ALL_IN_STORE, targets=others, wrapper=())
        quiet = bench.load(server, *load, targets=others, wrapper=())
        before_mib = status_mib(server, "VmRSS")
        forget_peak(server)
        loading = bench.start_load(server, *load, targets=others, wrapper=())
        times = []
        for number in range(RELOADS):
            next_at = time.monotonic() + PAUSE_S
            times.append(reload_once(server, number))
            time.sleep(max(0, next_at - time.monotonic()))
        result = bench.end_load(loading)
        return (statistics.median(times), max(times), status_mib(server, "VmHWM"),
                before_mib + snapshot_mib, result["failures"], result["p999_ms"], quiet["p999_ms"])


def measure(bench):
    with bench.ours(bench.hosts(1)) as server:
        empty_mib = status_mib(server, "VmRSS")
    hosts = bench.hosts(bench.options.hosts)
    ours = one(bench.ours(hosts, workers=2), bench, empty_mib)
    versus = [None] * len(ours)
    if bench.options.versus:
        versus = one(bench.other(hosts, workers=2), bench, empty_mib)
    name = "versus"
    yield Row(f"reload until served, {hosts.n:,} domains, median of {RELOADS}", ours[0], "s",
              versus[0], name, goal="0.6 s")
    yield Row("reload until served, longest", ours[1], "s", versus[1], name)
    yield Row("peak memory during reloads", ours[2], "MiB", ours[3], "one more snapshot", goal="1.5")
    yield Row("failed fetches during reloads", ours[4], "", versus[4], name, goal="0")
    yield Row("99.9th percentile of a fetch during reloads", ours[5], "ms", ours[6], "without",
              goal="2")
