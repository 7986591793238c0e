# SPDX-License-Identifier: MIT
"""The bench at a small size: every answer is right and every row is there. No time is judged."""

import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).parent
ROWS = {"start": ["ready to serve, 60 domains", "memory then, 60 domains",
                  "memory after each was fetched once, 40 domains"],
        "commands": ["--test-config --no-certificates, 60 domains", "--print-dns, 60 domains"],
        "reports": ["--import-report, 60 reports", "--reports of one domain, 600 entries kept",
                    "--reports of 60 domains"],
        "site": ["--site of 60 domains, 600 entries kept",
                 "--site, peak memory", "--site, largest file", "--site, what the front page loads",
                 "50th percentile of a fetch while the site is written",
                 "99th percentile of a fetch while the site is written",
                 "99.9th percentile of a fetch while the site is written"],
        "cpu": ["CPU per fetch", "CPU per fetch, certificate not in the store",
                "CPU per fetch, 2 workers"],
        "check": ["--check of 40 domains on 1 MX pair",
                  "--check of 60 domains on 1 MX pair, domains a second",
                  "--check of 60 domains on 1 MX pair, peak memory"]}


def test_every_row(tmp_path):
    process = subprocess.run(
        [HERE / "run", "--hosts", "60", "--peer-hosts", "40", "--rounds", "1", "--peers", "nginx",
         "--only", ",".join(ROWS), "--program", os.environ["MTA_STSD"], "--cache", tmp_path],
        capture_output=True, text=True, timeout=300, check=False)
    assert process.returncode == 0, process.stderr
    for rows in ROWS.values():
        for row in rows:
            assert f"| {row}" in process.stdout, process.stdout
