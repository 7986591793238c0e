# SPDX-License-Identifier: MIT
"""Reports as attackers send them: policies are fetched all the while, and good reports get in."""

import pytest

from client import connect_tls, exchange, request
from namespace import ATTACKERS, FETCHER
from target import HOST, Target, eventually, flood
from test_slow import byte_by_byte, drip, through_tls

RESULTS = ("kept", "limited", "busy", "full", "failed", "late")
PATIENCE_S = 45  # the body of a report may take 30 s


@pytest.fixture(name="module_target", scope="module")
def target_that_takes_reports(pki, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    with Target(folder, pki, state=str(folder / "state"), limits={"memory": "16M"}) as target:
        for _ in range(8):
            target.fetch()
        yield target


def post(target, body=b"{}"):
    return exchange(connect_tls(target.address, HOST, target.context),
                    request(HOST, "/tlsrpt", "POST", [f"Content-Length: {len(body)}"]) + body)


def counts(target):
    return {result: target.metric(f'reports_received_total{{result="{result}"}}')
            for result in RESULTS}


def test_drips(target, monkeypatch):
    """A body that comes byte by byte has its 30 seconds, with chunks and without."""
    monkeypatch.setattr("test_slow.ENDED_BY_S", PATIENCE_S)
    start = f"POST /tlsrpt HTTP/1.1\r\nHost: {HOST}\r\n"
    connection, pieces = through_tls(target, (start + "Content-Length: 60000\r\n\r\n").encode(),
                                     byte_by_byte(b"{" * 300))
    with target.fetched_meanwhile(), connection:
        seconds = drip(connection, pieces)
    print(f"{seconds:.1f} s")
    assert 29 < seconds < PATIENCE_S


def test_halves(target):
    """Bodies of which one half does not come hold memory: they make room for others."""
    with flood("half-report-60000", target.address, 300, 60, ATTACKERS), \
         target.fetched_meanwhile():
        for _ in range(20):
            assert post(target).status == 200
    print(f"{target.ended('evicted')} connections have made room")


@pytest.mark.parametrize("sources", [ATTACKERS[:1], ATTACKERS], ids=["one source", "254 sources"])
def test_flood(target, sources):
    """As fast as can be; the times are printed, beside those without a flood."""
    before = counts(target)
    print("without:", target.fetch_for(5, source=FETCHER))
    with flood("reports", target.address, 64, 60, sources):
        latencies = target.fetch_for(10, source=FETCHER)
    print("flooded:", latencies)
    assert not latencies.failures and latencies.seconds
    print({result: count - before[result] for result, count in counts(target).items()})
    eventually(lambda: post(target).status in (200, 429), "a report is answered")
