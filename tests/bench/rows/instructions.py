# SPDX-License-Identifier: MIT
"""Instructions per fetch, counted by valgrind's callgrind: the same from run to run.

Two runs with different numbers of fetches; the difference holds no start and no end. valgrind shows
OpenSSL an older processor, so these are not quite the instructions of a real run.
"""

import re

from bench import Row

N_HOSTS = 200
FETCHES = (1000, 2000)


def count(make, bench, n_fetches):
    """Instructions of all processes, with each host fetched once, and then so many."""
    server = make()
    for old in server.folder.glob("callgrind.*"):
        old.unlink()
    server.wrapper = ("valgrind", "--tool=callgrind",
                      f"--callgrind-out-file={server.folder}/callgrind.%p")
    with server:
        bench.fetch_each(server)
        bench.load(server, "--fetches", n_fetches)
    return sum(int(re.search(r"^totals: (\d+)", out.read_text(encoding="ascii"), re.MULTILINE)[1])
               for out in server.folder.glob("callgrind.*"))


def per_fetch(make, bench):
    few, many = (count(make, bench, n) for n in FETCHES)
    return (many - few) / (FETCHES[1] - FETCHES[0]) / 1000


def measure(bench):
    hosts = bench.hosts(min(N_HOSTS, bench.options.hosts))
    ours = per_fetch(lambda: bench.ours(hosts, sandbox="off"), bench)
    other = bench.other(hosts, sandbox="off")
    yield Row("instructions per fetch", ours, "thousand",
              per_fetch(lambda: bench.other(hosts, sandbox="off"), bench), other.name)
