# SPDX-License-Identifier: MIT
"""TLS reports: how long it takes to import a folder of them, and to judge one domain or all."""

import gzip
import json
import shutil
import subprocess
import time

from bench import Row

DAYS = 10  # of each domain, a report each
GOALS = ("30 s", "0.1 s", "5 s")


def report(domain, day):
    return {"organization-name": "Google Inc.", "contact-info": "reports@google.com",
            "report-id": f"{day}_{domain}",
            "date-range": {"start-datetime": time.strftime("%Y-%m-%dT00:00:00Z", day),
                           "end-datetime": time.strftime("%Y-%m-%dT23:59:59Z", day)},
            "policies": [{"policy": {"policy-type": "sts", "policy-domain": domain,
                                     "policy-string": ["version: STSv1", "mode: testing",
                                                       "mx: mx1.provider.example",
                                                       "max_age: 604800"]},
                          "summary": {"total-successful-session-count": 20,
                                      "total-failure-session-count": 0}}]}


def make(folder, domains):
    """Writes a configuration of these domains and a report a day for each. Returns its path."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "state").mkdir(parents=True)
    (folder / "mails").mkdir()
    config = folder / "mta-stsd.yaml"
    config.write_text(json.dumps({
        "listen": [{"address": "127.0.0.1:0", "tls": False}], "state": str(folder / "state"),
        "policies": {"default": {"mx": ["mx1.provider.example"]}}, "domains": domains}))
    for number, domain in enumerate(domains):
        for ago in range(1, DAYS + 1):
            day = time.gmtime(time.time() - 86400 * ago)
            (folder / "mails" / f"{number}-{ago}.json.gz").write_bytes(
                gzip.compress(json.dumps(report(domain, day)).encode(), 1))
    return config


def time_s(*command):
    start = time.monotonic()
    # 1: a domain is not READY, because nothing was served.
    process = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    assert process.returncode in (0, 1), f"{command} ended with {process.returncode}"
    return time.monotonic() - start


def measure(bench):
    folder = bench.folder("reports")
    domains = [f"d{number}.example" for number in range(max(1, bench.options.hosts // DAYS))]
    config = make(folder, domains)
    n_reports = len(domains) * DAYS
    program = bench.options.program.with_name("mta-stsd-reports")
    commands = [(f"--import-report, {n_reports:,} reports",
                 ("--import-report", folder / "mails")),
                (f"--reports of one domain, {n_reports:,} reports kept",
                 ("--reports", domains[0])),
                (f"--reports of {len(domains):,} domains", ("--reports",))]
    for (name, arguments), goal in zip(commands, GOALS):
        yield Row(name, time_s(program, "-c", config, *arguments), "s", goal=goal)
