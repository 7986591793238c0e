# SPDX-License-Identifier: MIT
"""--check of many domains on an Internet of its own: the one that tests/check has.

postfix-mta-sts-resolver asks a BIND beside it and does a part of the work: it reads the record and
fetches the policy from one address. No other program that checks many domains is in Debian.
"""

import concurrent.futures
import contextlib
import multiprocessing
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time

from bench import Row, peak_mib

TESTS = pathlib.Path(__file__).resolve().parents[2]
ON_ONE_PAIR = 1000
ON_A_PAIR = 100  # domains, where there are many pairs of MX hosts
N_FILES = 16384
JOBS = 32  # --check's default
PEER = "postfix-mta-sts-resolver: record and policy only"


def enter_network(program):
    """Makes a process see the tests' modules, and a network of its own."""
    sys.path += [str(TESTS / folder) for folder in ("check", "integration", "clients")]
    os.environ["MTA_STSD"] = str(program)
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    resource.setrlimit(resource.RLIMIT_NOFILE, (N_FILES, N_FILES))
    import network  # pylint: disable=import-outside-toplevel
    network.enter()


def check_all(program, internet, count, folder):
    """Returns seconds and MiB."""
    report_path = folder / "report.json"
    start = time.monotonic()
    with report_path.open("wb") as report, subprocess.Popen(
            [program, "--check", "--json", "--jobs", str(JOBS), "--dns-config",
             internet.unbound_conf, "-c", internet.daemon.config_path], stdout=report) as process:
        peak = peak_mib(process)
    took = time.monotonic() - start
    text = report_path.read_text(encoding="ascii")
    assert process.returncode == 0, text[-2000:]
    assert text.count('"verdict": "enforced"') == count, "not every domain is found good"
    return took, peak


def measure_apart(program, folder, count, n_pairs, has_peer):
    """In a process that enter_network() has prepared. Returns seconds, MiB, seconds of the peer."""
    import daemon, many, sts_resolver  # pylint: disable=import-outside-toplevel,multiple-imports

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    peer = None
    with contextlib.ExitStack() as stack:
        internet = stack.enter_context(
            many.many_domains(folder, count, os.environ, daemon.run, n_pairs))
        took, peak = check_all(program, internet, count, folder)
        if has_peer:
            stack.enter_context(sts_resolver.resolving(folder, internet))
            start = time.monotonic()
            fetched = sts_resolver.fetch_all(many.names_of(count), JOBS)
            peer = time.monotonic() - start
            assert set(fetched.values()) == {"VALID"}, fetched
    return took, peak, peer


def measure(bench):
    options = bench.options
    few, many = min(ON_ONE_PAIR, options.peer_hosts), options.hosts
    n_pairs = -(-many // ON_A_PAIR)
    with concurrent.futures.ProcessPoolExecutor(
            1, multiprocessing.get_context("fork"), enter_network, [options.program]) as apart:
        took, _, peer = apart.submit(measure_apart, options.program, bench.folder("check"), few, 1,
                                     True).result()
        yield Row(f"--check of {few:,} domains on 1 MX pair", took, "s", peer, PEER, goal="10 s")
        took, peak, _ = apart.submit(measure_apart, options.program, bench.folder("check"), many,
                                     n_pairs, False).result()
    name = f"--check of {many:,} domains on {n_pairs:,} MX pair{'s' * (n_pairs != 1)}"
    yield Row(f"{name}, domains a second", many / took, "/s", goal="200")
    yield Row(f"{name}, peak memory", peak, "MiB", goal="200 MiB")
