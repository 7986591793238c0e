# SPDX-License-Identifier: MIT
"""What is run by hand or by a script: --test-config and --print-dns."""

import statistics
import subprocess
import time

from bench import Row

# mode, repetitions, goal
COMMANDS = [(["--test-config", "--no-certificates"], 5, "0.5 s"),
            (["--print-dns", "--no-certificates"], 5, "1 s"),
            (["--test-config"], 1, "20 s"),
            (["--print-dns"], 1, "20 s")]


def time_s(program, mode, config):
    start = time.monotonic()
    subprocess.run([program, *mode, "-c", config], stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=True)
    return time.monotonic() - start


def measure(bench):
    server, versus = bench.ours(bench.hosts(bench.options.hosts)), bench.options.versus
    for mode, n_times, goal in COMMANDS:
        programs = [bench.options.program] + ([versus] if versus else [])
        times = [[time_s(program, mode, server.config) for program in programs]
                 for _ in range(n_times)]
        medians = [statistics.median(column) for column in zip(*times)]
        yield Row(" ".join(mode) + f", {server.hosts.n:,} domains", medians[0], "s",
                  medians[1] if versus else None, "versus", goal=goal)
