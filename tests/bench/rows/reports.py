# SPDX-License-Identifier: MIT
"""TLS reports: how long it takes to import a folder of them, and to judge one domain or all."""

import contextlib
import gzip
import json
import shutil
import sqlite3
import subprocess
import time

from bench import Row

DAYS = 10  # of each domain, an entry each
A_REPORT = 2000  # domains of each report that is there only to be kept
GOALS = ("30 s", "0.1 s", "5 s")


def report(domains, ago):
    """Of some days ago, about all of these domains."""
    day = time.gmtime(time.time() - 86400 * ago)
    return {"organization-name": "Google Inc.", "contact-info": "reports@google.com",
            "report-id": f"{ago}_{domains[0]}",
            "date-range": {"start-datetime": time.strftime("%Y-%m-%dT00:00:00Z", day),
                           "end-datetime": time.strftime("%Y-%m-%dT23:59:59Z", day)},
            "policies": [{"policy": {"policy-type": "sts", "policy-domain": domain,
                                     "policy-string": ["version: STSv1", "mode: testing",
                                                       "mx: mx1.provider.example",
                                                       "max_age: 604800"]},
                          "summary": {"total-successful-session-count": 20,
                                      "total-failure-session-count": 0}}
                         for domain in domains]}


def make(folder, domains):
    """Writes a configuration of these domains and their reports: of yesterday one for each domain,
    of the days before it one for many. Returns the configuration's path."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "state").mkdir(parents=True)
    (folder / "single").mkdir()
    (folder / "many").mkdir()
    config = folder / "mta-stsd.yaml"
    config.write_text(json.dumps({
        "listen": [{"address": "127.0.0.1:0", "tls": False}], "state": str(folder / "state"),
        "policies": {"default": {"mx": ["mx1.provider.example"]}}, "domains": domains}))
    for number, domain in enumerate(domains):
        write(folder / "single" / f"{number}.json.gz", [domain], 1)
    write_many(folder / "many", domains, range(2, DAYS + 1))
    return config


def write_many(folder, domains, days):
    """Reports about many domains each, of so many days ago."""
    for ago in days:
        for first in range(0, len(domains), A_REPORT):
            write(folder / f"{ago}-{first}.json.gz", domains[first:first + A_REPORT], ago)


def write(path, domains, ago):
    path.write_bytes(gzip.compress(json.dumps(report(domains, ago)).encode(), 1))


def n_kept(state):
    with contextlib.closing(sqlite3.connect(state / "reports.sqlite")) as database:
        return database.execute("SELECT count(*) FROM entry").fetchone()[0]


def time_s(*command):
    start = time.monotonic()
    # 1: a domain is not READY, because nothing was served.
    process = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    assert process.returncode in (0, 1), f"{command} ended with {process.returncode}"
    return time.monotonic() - start


def measure(bench):
    folder = bench.folder("reports")
    domains = [f"d{number}.example" for number in range(bench.options.hosts)]
    command = (bench.options.program.with_name("mta-stsd-reports"), "-c", make(folder, domains))
    yield Row(f"--import-report, {len(domains):,} reports",
              time_s(*command, "--import-report", folder / "single"), "s", goal=GOALS[0])
    time_s(*command, "--import-report", folder / "many")
    n_rows = n_kept(folder / "state")
    assert n_rows == len(domains) * DAYS, f"{n_rows} entries are kept"
    yield Row(f"--reports of one domain, {n_rows:,} entries kept",
              time_s(*command, "--reports", domains[0]), "s", goal=GOALS[1])
    yield Row(f"--reports of {len(domains):,} domains", time_s(*command, "--reports"), "s",
              goal=GOALS[2])
