# SPDX-License-Identifier: MIT
"""The database of reports: no report of the spool is lost or counted twice, whatever happens."""

import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess
import time

import pytest

REPORTS = pathlib.Path(os.environ["MTA_STSD"]).with_name("mta-stsd-reports")
DAY_S = 86400


def body(number, **keys):
    """A report of yesterday about example.com, with an id of its own."""
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - DAY_S))
    return json.dumps({
        "organization-name": "Example", "contact-info": "reports@sender.example",
        "report-id": f"report-{number}",
        "date-range": {"start-datetime": f"{day}T00:00:00Z", "end-datetime": f"{day}T23:59:59Z"},
        "policies": [{"policy": {"policy-type": "sts", "policy-domain": f"d{number}.example.com",
                                 "policy-string": ["version: STSv1", "mode: testing",
                                                   "mx: mx1.example.com", "max_age: 86400"]},
                      "summary": {"total-successful-session-count": 3,
                                  "total-failure-session-count": 0}}], **keys}).encode()


class Place:
    """A state directory, its configuration, and the program that reads its spool."""

    def __init__(self, folder, n_domains):
        self.state = folder / "state"
        self.spool = self.state / "spool"
        self.state.mkdir(exist_ok=True)
        self.config = folder / "mta-stsd.yaml"
        self.config.write_text(json.dumps({
            "listen": [{"address": "127.0.0.1:0", "tls": False}], "state": str(self.state),
            "policy_host": {"name": "policy.example.net"},
            "policies": {"default": {"mx": ["mx1.example.com"]}},
            "domains": [f"d{number}.example.com" for number in range(n_domains)]}))

    def put(self, number, content=None):
        """Writes a report into the spool as the daemon does."""
        self.spool.mkdir(mode=0o700, exist_ok=True)
        content = body(number) if content is None else content
        head = (f"mta-stsd report 1\nreceived: {int(time.time())}\nhost: mta-sts.example.com\n"
                f"peer: \ncontent-type: application/tlsrpt+json\nlength: {len(content)}\n\n")
        (self.spool / f"{1764370000000000 + number}-{number:016x}").write_bytes(
            head.encode() + content)

    def command(self, *arguments):
        return [REPORTS, "-c", self.config, *arguments]

    def run(self, *arguments, **options):
        return subprocess.run(self.command(*arguments), capture_output=True, timeout=120,
                              check=False, **options)

    def waiting(self):
        return [path for path in self.spool.iterdir() if path.is_file()]

    def aside(self):
        """The ids of those that have ended readers twice."""
        return [f"report-{int(path.name[17:], 16)}" for path in self.spool.glob("failed/*")
                if path.suffix != ".reason"]

    def kept(self):
        """The ids of all reports that the database has."""
        with contextlib.closing(sqlite3.connect(self.state / "reports.sqlite")) as database:
            return [row[0] for row in database.execute("SELECT report_id FROM report ORDER BY 1")]


def everything(n):
    return sorted(f"report-{number}" for number in range(n))


def test_killed(tmp_path):
    """SIGKILL after more and more time, until a run comes to its end. On a busy machine two may hit
    the same report, which is then put aside."""
    place, n, n_killed = Place(tmp_path, 1500), 1500, 0
    for number in range(n):
        place.put(number)
    for delay_ms in range(20, 2000, 20):
        try:
            subprocess.run(place.command("--spool"), capture_output=True, timeout=delay_ms / 1000,
                           check=False)
            break
        except subprocess.TimeoutExpired: # it was killed
            n_killed += 1
            if (place.state / "reports.sqlite").exists():
                lost = set(everything(n)) - {f"report-{int(path.name[17:], 16)}"
                                             for path in place.waiting()}
                with contextlib.suppress(sqlite3.OperationalError): # without tables yet
                    assert lost <= {*place.kept(), *place.aside()}
    assert n_killed > 0
    assert place.run("--spool").returncode == 0
    assert len(place.aside()) <= n_killed / 2
    assert sorted(place.kept() + place.aside()) == everything(n)
    assert not place.waiting()


def test_locked(tmp_path):
    """Whoever has the database locked makes others try again later."""
    place = Place(tmp_path, 3)
    place.put(0)
    assert place.run("--spool").returncode == 0
    place.put(1)
    with contextlib.closing(sqlite3.connect(place.state / "reports.sqlite")) as database:
        database.execute("BEGIN IMMEDIATE")
        spool, mail = place.run("--spool"), place.run("--import-report", input=body(2))
        # Reading needs no lock.
        assert b"d0.example.com: " in place.run("--reports", "d0.example.com").stdout
    assert spool.returncode == 3
    assert b"another process has the database locked" in spool.stderr
    assert mail.returncode == 75
    assert len(place.waiting()) == 1
    assert place.run("--spool").returncode == 0
    assert place.run("--import-report", input=body(2)).returncode == 0
    assert place.kept() == everything(3)


def test_damaged(tmp_path):
    """What is no database stays as it is, and so does the spool."""
    place = Place(tmp_path, 1)
    place.put(0)
    garbage = b"this was a database once " * 100
    (place.state / "reports.sqlite").write_bytes(garbage)
    spool, mail = place.run("--spool"), place.run("--import-report", input=body(1))
    assert spool.returncode == 3
    assert (f"'{place.state}/reports.sqlite' cannot be read: the file is damaged, or is no database; "
            "restore it, or move it away to begin a new one\n").encode() in spool.stderr
    assert mail.returncode == 75
    assert (place.state / "reports.sqlite").read_bytes() == garbage
    assert len(place.waiting()) == 1
    (place.state / "reports.sqlite").unlink()
    assert place.run("--spool").returncode == 0
    assert place.kept() == everything(1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_full(tmp_path):
    """A disk without room: what does not fit stays in the spool, until there is room."""
    (tmp_path / "state").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "small", tmp_path / "state"],
                   check=True)
    try:
        place, n = Place(tmp_path, 300), 300
        for number in range(n):
            place.put(number)
        filler = place.state / "filler"
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as out:
            while True:
                out.write(bytes(4096))
        os.truncate(filler, filler.stat().st_size - 200 * 1024)
        spool, mail = place.run("--spool"), place.run("--import-report", input=body(0))
        assert spool.returncode == 3
        assert b"the disk is full" in spool.stderr or b"No space left" in spool.stderr
        assert mail.returncode in (0, 75)
        assert {path.name for path in place.waiting()} == {
            f"{1764370000000000 + number}-{number:016x}" for number in range(n)}
        filler.unlink()
        assert place.run("--spool").returncode == 0
        assert place.kept() == everything(n)
        assert not place.waiting()
    finally:
        subprocess.run(["umount", tmp_path / "state"], check=True)


def test_one_reader(tmp_path):
    """A second reader of the spool goes away."""
    place = Place(tmp_path, 1)
    place.put(0)
    mark = place.state / "reports.trying"
    with subprocess.Popen(["flock", mark, "cat"], stdin=subprocess.PIPE) as holder:
        while subprocess.run(["flock", "--nonblock", mark, "true"], check=False).returncode == 0:
            pass
        second = place.run("--spool")
        holder.communicate()
    assert second.returncode == 3
    assert b"another process reads the reports in " in second.stderr
    assert place.run("--spool").returncode == 0
    assert place.kept() == everything(1)


def test_anonymous_flood(tmp_path):
    """Anybody can send reports: of those that are too many, the number is kept."""
    place = Place(tmp_path, 1)
    for number in range(130):
        place.put(number, body(0, **{"report-id": f"report-{number}"}))
    assert place.run("--spool").returncode == 0
    assert len(place.kept()) == 100
    text = place.run("--reports", "d0.example.com").stdout.decode()
    assert "30 unverified reports were too many, and are not kept." in text
    assert "d0.example.com: NOT YET" in text
