# SPDX-License-Identifier: MIT
"""The status site of many domains with reports: how long it takes, and fetches of policies meanwhile."""

import concurrent.futures
import shutil
import statistics
import subprocess
import threading
import time

from bench import ALL_IN_STORE, Row, peak_mib
from hosts import domain
from rows import reports

NICE = ("nice", "-n", "10")  # as the daemon has it run
RUNS = 3
RATE = 300  # fetches a second
LOAD_S = 30
FRONT = ("index.html", "site.css", "icon.svg", "site.js", "front.js", "chart.js", "data-front.js")


class Site:
    """The site of a server's configuration, and the reports that it is made from."""

    def __init__(self, server, state):
        self.folder, self.state = server.folder / "site", state
        self.program = server.program.with_name("mta-stsd-reports")
        self.config = server.config

    def take_reports(self, domains):
        folder = self.state.with_name("many")
        folder.mkdir()
        reports.write_many(folder, domains, range(1, reports.DAYS + 1))
        subprocess.run([self.program, "-c", self.config, "--import-report", folder], check=True,
                       stdout=subprocess.DEVNULL)
        n_rows = reports.n_kept(self.state)
        assert n_rows == len(domains) * reports.DAYS, f"{n_rows} entries are kept"
        return n_rows

    def start(self):
        return subprocess.Popen([*NICE, self.program, "-c", self.config, "--site", self.folder],
                                stdout=subprocess.DEVNULL)

    def write(self):
        """Returns seconds and MiB."""
        start = time.monotonic()
        with self.start() as process:
            peak = peak_mib(process)
        assert process.returncode == 0, f"--site ended with {process.returncode}"
        return time.monotonic() - start, peak

    def write_until(self, is_over):
        while not is_over.is_set():
            with self.start() as process:
                assert process.wait() == 0

    def kilobytes(self, names):
        return [(self.folder / name).stat().st_size / 1000 for name in names]


def fetch(bench, server):
    load_s = min(LOAD_S, bench.options.hosts / 30)  # the small size takes 2 s
    return bench.load(server, "--rate", RATE, "--connections", 100, "--seed", 1, "--fetches",
                      int(RATE * load_s), targets=bench.hosts(min(ALL_IN_STORE, server.hosts.n)).targets,
                      wrapper=())


def fetch_meanwhile(bench, server, site):
    """The site is written again and again."""
    is_over = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        writing = pool.submit(site.write_until, is_over)
        try:
            return fetch(bench, server)
        finally:
            is_over.set()
            writing.result()


def measure(bench):
    hosts = bench.hosts(bench.options.hosts)
    folder = bench.folder("site")
    shutil.rmtree(folder, ignore_errors=True)
    state = folder / "state"
    state.mkdir(parents=True)
    server = bench.ours(hosts, name="site/ours", workers=2, state=str(state))
    site = Site(server, state)
    n_rows = site.take_reports([domain(i) for i in range(hosts.n)])
    with server:
        server.settle()
        fetch(bench, server)  # a store is filled
        times, peaks = zip(*(site.write() for _ in range(RUNS)))
        yield Row(f"--site of {hosts.n:,} domains, {n_rows:,} entries kept, median of {RUNS}",
                  statistics.median(times), "s", goal="20 s")
        yield Row("--site, peak memory", max(peaks), "MiB")
        yield Row("--site, largest file", max(site.kilobytes(
            path.name for path in site.folder.iterdir())), "kB", goal="1,000 kB")
        yield Row("--site, what the front page loads", sum(site.kilobytes(FRONT)), "kB", goal="300 kB")
        quiet, busy = fetch(bench, server), fetch_meanwhile(bench, server, site)
        for name, key in (("50th", "p50_ms"), ("99th", "p99_ms"), ("99.9th", "p999_ms")):
            yield Row(f"{name} percentile of a fetch while the site is written", busy[key], "ms",
                      quiet[key], "without", goal="2")
