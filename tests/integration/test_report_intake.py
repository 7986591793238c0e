# SPDX-License-Identifier: MIT
"""TLS reports over HTTPS: what is answered 200 is in the spool, and nothing of it harms policies."""

import concurrent.futures
import contextlib
import gzip
import json
import os
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

import daemon as harness
from client import connect_tls, exchange, fetch, policy_body, read_all, request, tls_context
from daemon import Daemon
from operated import HOST, LONG, Operated, configuration, wait_until

REPORT_HOST = "reports.example.com"
REPORT = {"organization-name": "Example", "report-id": "1@example.net", "policies": []}
N_KILLS = 20 if LONG else 4


@pytest.fixture(autouse=True)
def daemon_without_reader(monkeypatch, tmp_path):
    """What is in the spool stays there: the daemon's copy has no mta-stsd-reports beside it."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(harness, "PROGRAM", str(
        shutil.copy(harness.PROGRAM, tmp_path / "bin" / "mta-stsd")))


def with_reports(pki, folder, **keys):
    return configuration(pki, folder, **{"state": str(folder / "state"), **keys})


def spooled(folder):
    """What lies in the spool: (fields, body) of each report, the oldest first."""
    reports = []
    for path in sorted((folder / "state/spool").glob("[0-9]*")):
        assert re.fullmatch(r"\d{16}-[0-9a-f]{16}", path.name)
        head, _, body = path.read_bytes().partition(b"\n\n")
        first, *lines = head.decode("ascii").split("\n")
        assert first == "mta-stsd report 1"
        fields = dict(line.split(": ", 1) if ": " in line else (line[:-1], "") for line in lines)
        assert list(fields) == ["received", "host", "peer", "content-type", "length"]
        assert int(fields["length"]) == len(body)
        assert abs(int(fields["received"]) - time.time()) < 600
        reports.append((fields, body))
    return reports


def post(address, context, body, host=HOST, headers=(), **options):
    return exchange(connect_tls(address, host, context),
                    request(host, "/tlsrpt", "POST",
                            [f"Content-Length: {len(body)}", *headers], **options) + body)


def announce(address, context, length, host=HOST):
    """Sends the head alone: what is too large is refused before its body."""
    return exchange(connect_tls(address, host, context),
                    request(host, "/tlsrpt", "POST", [f"Content-Length: {length}"]))


def curl(pki, address, *arguments, host=HOST, stdin=b""):
    """The status of a POST by curl, which trusts the authority of the tests."""
    process = subprocess.run(
        ["curl", "--silent", "--show-error", "--http1.1", "--cacert", str(pki.ca), "--output",
         "/dev/null", "--write-out", "%{http_code}", "--resolve",
         f"{host}:{address[1]}:{address[0]}", *arguments,
         f"https://{host}:{address[1]}/tlsrpt"],
        input=stdin, capture_output=True, timeout=60, check=True)
    return int(process.stdout)


def counted(daemon, result):
    text = metrics(daemon)
    return int(re.search(rf'mtasts_reports_received_total{{result="{result}"}} (\d+)', text)[1])


def metrics(daemon):
    return exchange(socket.create_connection(daemon.addresses[1], 10),
                    request("a", "/metrics")).body.decode()


def test_senders(pki, tmp_path):
    """As real senders send: see the reference for each."""
    plain = json.dumps(REPORT).encode()
    packed = gzip.compress(plain)
    with Operated(tmp_path, with_reports(pki, tmp_path)) as daemon:
        def send(*arguments, body):
            assert curl(pki, daemon.address, *arguments, "--data-binary", "@-", stdin=body) == 200
            wait_until(lambda: spooled(tmp_path), "a report")
            return spooled(tmp_path)[-1]

        # sys4's tlsrpt-reporter: gzip, no --fail.
        fields, body = send("--header", "Content-Type: application/tlsrpt+gzip", body=packed)
        assert (fields["host"], fields["peer"]) == (HOST, "127.0.0.1")
        assert (fields["content-type"], body) == ("application/tlsrpt+gzip", packed)
        # Halon: JSON. Others: a type that is wrong, chunks, an expectation.
        assert send("--header", "Content-Type: application/tlsrpt+json", body=plain)[1] == plain
        fields, body = send("--header", "Content-Type: application/tlsrpt+json", body=packed)
        assert (fields["content-type"], body) == ("application/tlsrpt+json", packed)
        fields, body = send("--header", "Content-Type:", body=b" \r\n" + plain)
        assert (fields["content-type"], body) == ("", b" \r\n" + plain)
        assert send("--header", "Transfer-Encoding: chunked", body=packed)[1] == packed
        assert send("--header", "Expect: 100-continue", body=packed)[1] == packed
        assert send("--header", "Transfer-Encoding: chunked", "--header", "Expect: 100-continue",
                    body=plain)[1] == plain
        # What a sender writes cannot break out of its line.
        fields, _ = send("--header", "Content-Type: a\\b\t\xff" + "x" * 300, body=plain)
        assert fields["content-type"].startswith(r"a\x5cb\x09\xc3\xbfxxx")
        assert len(fields["content-type"]) <= 128
        assert len(spooled(tmp_path)) == counted(daemon, "kept") == 8
        assert "mtasts_reports_spool_files 8\n" in metrics(daemon)
        for path in (tmp_path / "state/spool").iterdir():
            assert path.stat().st_mode & 0o777 == 0o600


def test_refusals(pki, serve, tmp_path):
    context = tls_context(pki)
    daemon = serve(with_reports(pki, tmp_path))
    for body in (b"", b"hello", b"\n\n", b"PK\3\4"):
        assert post(daemon.address, context, body).status == 400
    assert post(daemon.address, context, b"{" + b" " * 65535).status == 200
    assert announce(daemon.address, context, 65537).status == 413
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        answer = fetch(daemon.address, HOST, context, path="/tlsrpt", method=method)
        assert (answer.status, answer.header("allow")) == (405, "POST")
    assert fetch(daemon.address, HOST, context, path="/tlsrpt/", method="POST",
                 headers=["Content-Length: 0"]).status == 404
    policy = fetch(daemon.address, HOST, context, method="POST", headers=["Content-Length: 0"])
    assert (policy.status, policy.header("allow")) == (405, "GET, HEAD")
    assert len(spooled(tmp_path)) == 1


def test_without_state(pki, serve):
    daemon = serve(harness.configuration(pki, {"example.com": {"mx": ["mx.example.com"]}}))
    assert post(daemon.address, tls_context(pki), b"{}").status == 404


def test_unusable_state(pki, serve, tmp_path):
    """The daemon serves all the same; senders are told to come again."""
    (tmp_path / "state").write_text("a file")
    daemon = serve(with_reports(pki, tmp_path, admin="off"))
    answer = post(daemon.address, tls_context(pki), b"{}")
    assert (answer.status, answer.header("retry-after")) == (503, "600")
    assert fetch(daemon.address, HOST, tls_context(pki)).status == 200


def test_report_host(pki, serve, tmp_path):
    """1 MiB there; the policy hosts stay at 64 kB, whatever a connection is for."""
    chain, key = pki.issue(tmp_path / "reports", REPORT_HOST, HOST)
    settings = with_reports(pki, tmp_path, admin="off", report_host=REPORT_HOST,
                            listen=[{"address": "127.0.0.1:0"},
                                    {"address": f"unix:{tmp_path}/http.sock", "tls": False}])
    settings["certificates"] = [{"chain": str(chain), "key": str(key)}, pki.source]
    context = tls_context(pki)
    large = b"{" + b" " * (2 ** 20 - 1)
    daemon = serve(settings)
    assert post(daemon.address, context, large, host=REPORT_HOST).status == 200
    assert announce(daemon.address, context, len(large) + 1, host=REPORT_HOST).status == 413
    assert post(daemon.address, context, b"{}", host=REPORT_HOST).status == 200
    # By the SNI of report_host a policy host is asked for: its limit holds.
    asked = request(HOST, "/tlsrpt", "POST", [f"Content-Length: {len(large)}"]) + large
    assert exchange(connect_tls(daemon.address, REPORT_HOST, context), asked).status == 413
    assert fetch(daemon.address, REPORT_HOST, context).status == 404
    # On a plain listener the Host decides alone.
    for host, status in ((REPORT_HOST, 200), (HOST, 413)):
        plain = socket.socket(socket.AF_UNIX)
        plain.connect(daemon.addresses[1])
        asked = request(host, "/tlsrpt", "POST",
                        [f"Content-Length: {len(large)}", "Connection: close"]) + large
        assert exchange(plain, asked).status == status
    assert [fields["peer"] for fields, body in spooled(tmp_path)] == ["127.0.0.1"] * 2 + [""]
    # A policy host that is the report_host too takes what the report_host takes.
    daemon.reload({**settings, "report_host": HOST})
    assert post(daemon.address, context, large).status == 200


def test_slow_body(pki, serve, tmp_path):
    """A slow sender has more time than a request without a body, and not all the time."""
    body = b"{" + b" " * 999
    context = tls_context(pki)
    daemon = serve(with_reports(pki, tmp_path, admin="off"))
    with connect_tls(daemon.address, HOST, context) as connection:
        connection.sendall(request(HOST, "/tlsrpt", "POST", ["Content-Length: 1000"]))
        for octet in range(8):
            time.sleep(1)
            connection.sendall(body[octet:octet + 1])
        connection.sendall(body[8:])
        assert read_all(connection).startswith(b"HTTP/1.1 200 ")
    if not LONG:
        return
    with connect_tls(daemon.address, HOST, context) as connection:
        connection.sendall(request(HOST, "/tlsrpt", "POST", ["Content-Length: 1000"]))
        began = time.monotonic()
        connection.settimeout(1)
        while True:
            with contextlib.suppress(TimeoutError):
                with contextlib.suppress(ssl.SSLEOFError, ConnectionError):
                    connection.sendall(b" ")
                    assert connection.recv(1) == b""
                break
        assert 29 < time.monotonic() - began < 35


def test_sender_gone(pki, serve, tmp_path):
    """Nobody waits for the answer: the report is kept all the same, as it may never come again."""
    context = tls_context(pki)
    daemon = serve(with_reports(pki, tmp_path, admin="off"))
    for _ in range(20):
        with connect_tls(daemon.address, HOST, context) as connection:
            connection.sendall(request(HOST, "/tlsrpt", "POST", ["Content-Length: 2"]) + b"{}")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    wait_until(lambda: len(spooled(tmp_path)) >= 1, "a report")
    assert fetch(daemon.address, HOST, context).status == 200


class Flood:
    """Senders that post numbered reports until they are told to stop."""

    def __init__(self, address, pki, n_senders=8, first=0):
        self.acknowledged, self.statuses = set(), {}
        self._address, self._context = address, tls_context(pki)
        self._numbers = iter(range(first, 10 ** 9))
        self._lock, self._is_over = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(n_senders)]

    def _send(self):
        while not self._is_over.is_set():
            with self._lock:
                number = next(self._numbers)
            status = None
            with contextlib.suppress(OSError, ValueError, AssertionError):
                status = post(self._address, self._context, b'{"n": %d}' % number).status
            with self._lock:
                self.statuses[status] = self.statuses.get(status, 0) + 1
                if status == 200:
                    self.acknowledged.add(number)
            if status is None:
                time.sleep(0.01)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        for thread in self._threads:
            thread.join()


def spooled_numbers(folder):
    return [json.loads(body)["n"] for _, body in spooled(folder)]


def test_killed(pki, tmp_path):
    """What was acknowledged before a SIGKILL is there, once."""
    acknowledged = set()
    for kill in range(N_KILLS):
        daemon = Daemon(tmp_path, with_reports(pki, tmp_path, admin="off"))
        with daemon, Flood(daemon.address, pki, first=kill * 10 ** 6) as flood:
            wait_until(lambda: len(flood.acknowledged) >= 20, "acknowledged reports")
            time.sleep(random.random() / 5)
            daemon.process.kill()
            Daemon.running.remove(daemon)
            daemon.process.wait()
        acknowledged |= flood.acknowledged
        numbers = spooled_numbers(tmp_path)
        assert len(numbers) == len(set(numbers))
        assert acknowledged <= set(numbers)
    print(f"{len(acknowledged)} acknowledged reports, {len(numbers)} in the spool")
    with Daemon(tmp_path, with_reports(pki, tmp_path, admin="off")) as daemon:
        assert post(daemon.address, tls_context(pki), b"{}").status == 200
        assert not list((tmp_path / "state/spool").glob(".*"))


def test_end(pki, tmp_path):
    """An orderly end answers what has been taken, and keeps all of it."""
    with Daemon(tmp_path, with_reports(pki, tmp_path, admin="off")) as daemon:
        with Flood(daemon.address, pki) as flood:
            wait_until(lambda: len(flood.acknowledged) >= 50, "acknowledged reports")
            daemon.stop()
        assert flood.acknowledged <= set(spooled_numbers(tmp_path))


@contextlib.contextmanager
def small_disk(folder, size):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_disk_full(pki, tmp_path):
    """503 while there is no room, policies as ever, 200 again once there is room."""
    context = tls_context(pki)
    body = b"{" + b" " * 60000
    with small_disk(tmp_path / "state", "512k"), \
         Operated(tmp_path, with_reports(pki, tmp_path)) as daemon:
        statuses = [post(daemon.address, context, body).status for _ in range(12)]
        assert statuses[0] == 200 and statuses[-1] == 503 and set(statuses) == {200, 503}
        assert len(spooled(tmp_path)) == statuses.count(200)
        answer = post(daemon.address, context, body)
        assert answer.header("retry-after") == "600"
        assert fetch(daemon.address, HOST, context).body == policy_body("mx.example.com")
        said = "reports: a report cannot be written .*: No space left"
        daemon.log.wait_for(said)
        assert len(daemon.log.find(said)) == 1
        assert counted(daemon, "failed") == statuses.count(503) + 1
        for path in (tmp_path / "state/spool").glob("[0-9]*"):
            path.unlink()
        assert post(daemon.address, context, body).status == 200


@contextlib.contextmanager
def frozen_disk(folder):
    """A small file system; yields what stops it and lets it go on."""
    image = folder.with_suffix(".img")
    image.write_bytes(b"")
    os.truncate(image, 16 * 2 ** 20)
    folder.mkdir()
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    if subprocess.run(["mount", "-o", "loop", image, folder], check=False).returncode != 0:
        pytest.skip("no image can be mounted here")

    def freeze(how):
        subprocess.run(["fsfreeze", how, folder], check=True)

    try:
        yield freeze
    finally:
        subprocess.run(["fsfreeze", "--unfreeze", folder], check=False, capture_output=True)
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a disk")
def test_disk_hangs(pki, tmp_path):
    """Senders are told after 10 seconds, policies never wait, and what was taken is not lost."""
    context = tls_context(pki)
    with frozen_disk(tmp_path / "state") as freeze, \
         Operated(tmp_path, with_reports(pki, tmp_path)) as daemon:
        assert post(daemon.address, context, b"{}").status == 200
        freeze("--freeze")
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            began = time.monotonic()
            posts = [pool.submit(post, daemon.address, context, b"{}") for _ in range(40)]
            while any(not done.done() for done in posts):
                assert fetch(daemon.address, HOST, context).body == policy_body("mx.example.com")
            answers = [done.result() for done in posts]
        assert {(answer.status, answer.header("retry-after")) for answer in answers} == {(503, "60")}
        assert 9 < time.monotonic() - began < 20
        assert counted(daemon, "late") == 40
        freeze("--unfreeze")
        wait_until(lambda: len(spooled(tmp_path)) == 41, "all reports")
        assert post(daemon.address, context, b"{}").status == 200
        # The end does not wait for the disk either.
        freeze("--freeze")
        with connect_tls(daemon.address, HOST, context) as connection:
            connection.sendall(request(HOST, "/tlsrpt", "POST", ["Content-Length: 2"]) + b"{}")
            began = time.monotonic()
            daemon.send_signal(signal.SIGTERM)
            assert read_all(connection).startswith(b"HTTP/1.1 503 ")
        daemon.log.wait_for("ended while a file system does not answer")
        assert time.monotonic() - began < 20
        freeze("--unfreeze")
        daemon.wait_for_end()


def test_reader(pki, tmp_path):
    """The program beside the daemon is started when there are reports, and again after a failure."""
    reader = tmp_path / "bin" / "mta-stsd-reports"
    reader.write_text(f"#!/bin/sh\necho \"$@\" >>{tmp_path}/runs\necho 'one \x1b[31mline'\n"
                      f"rm {tmp_path}/state/spool/[0-9]*\n")
    reader.chmod(0o755)
    with Operated(tmp_path, with_reports(pki, tmp_path)) as daemon:
        assert post(daemon.address, tls_context(pki), b"{}").status == 200
        daemon.log.wait_for(r"reports: one \\x1b\[31mline")
        wait_until(lambda: not spooled(tmp_path), "an empty spool")
        assert (tmp_path / "runs").read_text() == f"--spool --config {daemon.config_path}\n"
        wait_until(lambda: "mtasts_reports_spool_files 0\n" in metrics(daemon), "a new count")
        assert 'mtasts_reports_read_runs_total{result="good"} 1\n' in metrics(daemon)
    # What is there at the start is read.
    reader.write_text("#!/bin/sh\necho broken\nexit 3\n")
    (tmp_path / "state/spool/1764370000000000-0123456789abcdef").write_text("")
    with Operated(tmp_path, with_reports(pki, tmp_path)) as daemon:
        line = daemon.log.wait_for("reports: '.*' ended with status 3")
        assert line.endswith("ended with status 3: broken; the reports stay in the spool, and it "
                             "is tried again in 1 minute")


def percentiles(times):
    times = sorted(times)
    return " ".join(f"p{part} {times[min(len(times) - 1, len(times) * part // 100)] * 1000:.0f} ms"
                    for part in (50, 90, 99))


def fetch_often(address, context, n):
    times = []
    for _ in range(n):
        began = time.monotonic()
        assert fetch(address, HOST, context).status == 200
        times.append(time.monotonic() - began)
    return percentiles(times)


def test_flood(pki, tmp_path):
    """Policies are fetched while reports pour in; the times are printed, and judged by people."""
    context = tls_context(pki)
    with Daemon(tmp_path, with_reports(pki, tmp_path, admin="off")) as daemon:
        print("without a flood:", fetch_often(daemon.address, context, 100))
        with Flood(daemon.address, pki, n_senders=16) as flood:
            wait_until(lambda: len(flood.acknowledged) >= 20, "acknowledged reports")
            print("with a flood:   ", fetch_often(daemon.address, context, 100))
        print("answers:", flood.statuses)
        assert set(flood.statuses) <= {200, 429, 503}
        assert flood.acknowledged == set(spooled_numbers(tmp_path))
