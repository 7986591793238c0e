# SPDX-License-Identifier: MIT
"""What every row of the table needs: servers by name, load, paired rounds, and how a row looks."""

import contextlib
import dataclasses
import json
import pathlib
import re
import statistics
import subprocess
import time

from hosts import Hosts
from peers import PEERS
from servers import MtaStsd

ALL_IN_STORE = 5000  # hosts that every certificate store holds
PINNED = ("taskset", "--cpu-list", "0")
CLIENT_PINNED = ("taskset", "--cpu-list", "1")
FETCHES_A_ROUND = 8000
LOOK_S = 0.05


@dataclasses.dataclass
class Row:
    """A line of the table. peer  None: there is nothing to compare with"""
    measure: str
    ours: float
    unit: str
    peer: float = None
    peer_name: str = ""
    ratio: float = None  # where it is not that of the two medians
    goal: str = ""

    def cells(self):
        ratio = self.ratio or (self.ours / self.peer if self.peer else None)
        peer = f"{show(self.peer)} {self.unit} ({self.peer_name})" if self.peer else ""
        return [self.measure, f"{show(self.ours)} {self.unit}", peer,
                f"{ratio:.3g}" if ratio else "", self.goal]


def show(value):
    """Three digits are what a measurement is worth."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


class Bench:
    """options  those of the command line"""

    def __init__(self, options, tools):
        self.options = options
        self.tools = tools

    def hosts(self, n, n_fetched=None):
        hosts = Hosts(self.options.cache, n, n_fetched)
        hosts.make(self.tools)
        return hosts

    def hosts_in_store(self):
        return self.hosts(min(ALL_IN_STORE, self.options.peer_hosts))

    def folder(self, name):
        return self.options.cache / "run" / name

    def ours(self, hosts, wrapper=(), name="ours", **keys):
        """keys  of the configuration that differ"""
        return MtaStsd(self.folder(name), hosts, wrapper, self.options.program, **keys)

    def other(self, hosts, wrapper=(), **keys):
        """What ours is compared with: the build named by --versus, or nginx."""
        if not self.options.versus:
            return PEERS["nginx"](self.folder("nginx"), hosts, wrapper)
        other = MtaStsd(self.folder("versus"), hosts, wrapper, self.options.versus, **keys)
        other.name = "versus"
        return other

    def start_load(self, server, *arguments, wrapper=CLIENT_PINNED, targets=None):
        """Fetches from a server in the background; see bench_load for the arguments."""
        return subprocess.Popen(
            [*wrapper, self.tools / "bench_load", "--port", str(server.port),
             "--targets", targets or server.hosts.targets, *map(str, arguments)],
            stdout=subprocess.PIPE, text=True)

    @staticmethod
    def end_load(process):
        output = process.communicate()[0]
        assert process.returncode == 0, f"bench_load ended with {process.returncode}"
        return json.loads(output)

    def load(self, server, *arguments, **options):
        """What bench_load says; every fetch must have been good."""
        result = self.end_load(self.start_load(server, *arguments, **options))
        assert result["failures"] == 0, f"{server.name}: {result}"
        return result

    def fetch_each(self, server):
        """Each host once: its certificate and its answer are checked, and a store is filled."""
        self.load(server, "--fetches", server.hosts.n_fetched,
                  "--certificates", server.hosts.live)
        server.settle()

    def cpu_us(self, server, *arguments, **options):
        """The server's user and system time per fetch, in microseconds."""
        before = server.used_cpu_s()
        result = self.load(server, *arguments, **options)
        return (server.used_cpu_s() - before) * 1e6 / result["fetches"]

    def fetches_a_round(self):
        return min(FETCHES_A_ROUND, 20 * self.options.peer_hosts)

    def paired(self, first, second, measure):
        """Measures both in turn, so that what befalls the machine befalls both.

        first, second  what measure() takes, beside the number of the round
        Returns the two medians and the median of the rounds' ratios.
        """
        rounds = []
        for i in range(1, self.options.rounds + 1):
            values = {}
            for subject in (first, second) if i % 2 else (second, first):
                values[subject] = measure(subject, i)
            rounds.append((values[first], values[second]))
        return (statistics.median(a for a, _ in rounds), statistics.median(b for _, b in rounds),
                statistics.median(a / b for a, b in rounds))


def peak_mib(process):
    """VmHWM until the process ends: what wait4() says counts what its parent had, too."""
    peak = 0
    while process.poll() is None:
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmHWM:\s+(\d+)", status)
        peak = int(found[1]) / 1024 if found else peak  # a zombie has none
        time.sleep(LOOK_S)
    return peak


@contextlib.contextmanager
def running(*servers):
    """All of them at once; each has been fetched from in full before the block."""
    with contextlib.ExitStack() as stack:
        for server in servers:
            stack.enter_context(server)
        yield servers
