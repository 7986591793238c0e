# SPDX-License-Identifier: MIT
"""`--reports` and `--import-report`: TLS reports in by file, mail and spool, a verdict out."""

import gzip
import json
import os
import pathlib
import pty
import re
import sqlite3
import subprocess
import time

import pytest

from daemon import IS_SANITIZED, PROGRAM, ROOT, SANITIZER, run
from operated import HOST, Operated, configuration, wait_until

VECTORS = ROOT / "tests/data/vectors/tlsrpt"
REPORTS = pathlib.Path(PROGRAM).with_name("mta-stsd-reports")
DAY_S = 86400
EX_DATAERR, EX_TEMPFAIL = 65, 75
LINES = ["version: STSv1", "mode: testing", "mx: mx.example.net", "max_age: 86400"]


def today():
    return int(time.time()) // DAY_S


def body(day, number=0, successful=20, failed=0, failures=(), **keys):
    """A report of one day, counted from 1970, about example.net."""
    date = time.strftime("%Y-%m-%d", time.gmtime(day * DAY_S))
    return json.dumps({
        "organization-name": "Sender", "contact-info": "tlsrpt@sender.example",
        "report-id": f"{date}-{number}@sender.example",
        "date-range": {"start-datetime": f"{date}T00:00:00Z", "end-datetime": f"{date}T23:59:59Z"},
        "policies": [{
            "policy": {"policy-type": "sts", "policy-string": LINES, "policy-domain": "example.net",
                       "mx-host": ["mx.example.net"]},
            "summary": {"total-successful-session-count": successful,
                        "total-failure-session-count": failed},
            "failure-details": list(failures)}], **keys}).encode()


def mail(report, results="mail.example.net; dkim=pass header.d=sender.example"):
    return (f"Authentication-Results: {results}\n"
            "From: tlsrpt@sender.example\nSubject: Report Domain: example.net\n"
            "TLS-Report-Domain: example.net\nTLS-Report-Submitter: sender.example\n"
            "Content-Type: application/tlsrpt+json\nMIME-Version: 1.0\n\n").encode() + report


class Place:
    """A state directory and a configuration; what it is asked is printed as text."""

    def __init__(self, folder, **keys):
        self.folder = folder
        self.state = folder / "state"
        (self.state / "spool").mkdir(parents=True)
        self.config = folder / "mta-stsd.yaml"
        self.config.write_text(json.dumps({
            "domains": {"example.net": {"mx": ["mx.example.net"], "mode": "testing"},
                        "example.com": {"mx": ["mx.example.com"]}},
            "policy_host": {"addresses": ["192.0.2.1"]}, "state": str(self.state),
            "reports": {"authserv_id": "mail.example.net"}, **keys}), encoding="utf-8")

    def run(self, *arguments, **options):
        return run("-c", self.config, *arguments, **options)

    def imports(self, *paths):
        process = self.run("--import-report", *paths)
        assert process.returncode == 0, process.stderr.decode()
        return process.stdout.decode()

    def pipes(self, content):
        """As an MTA does; a status of 0 says nothing."""
        process = self.run("--import-report", stdin=content)
        assert process.stdout == b"" and (process.returncode != 0 or process.stderr == b"")
        return process.returncode, process.stderr.decode().removeprefix("mta-stsd-reports: ")

    def says(self, *arguments, status=0):
        process = self.run("--reports", *arguments)
        assert (process.returncode, process.stderr) == (status, b"")
        return process.stdout.decode()

    def tells(self, *arguments):
        return json.loads(self.says("--json", *arguments))

    def put(self, number, content, peer="192.0.2.9"):
        """Writes a file of the spool as the daemon does."""
        head = (f"mta-stsd report 1\nreceived: {int(time.time())}\nhost: mta-sts.example.net\n"
                f"peer: {peer}\ncontent-type: application/tlsrpt+gzip\nlength: {len(content)}\n\n")
        (self.state / "spool" / f"{1764370000000000 + number}-{number:016x}").write_bytes(
            head.encode() + content)

    def takes_spool(self):
        process = subprocess.run([REPORTS, "--spool", "-c", self.config], capture_output=True,
                                 timeout=60, check=False)
        assert not SANITIZER.search(process.stderr.decode())
        return process.returncode, (process.stdout + process.stderr).decode()

    def serves_since(self, day):
        """Writes a ledger."""
        (self.state / "ledger").write_text(
            "mta-stsd ledger 1\n"
            f"{day * DAY_S} serves example.net {'0' * 32} testing 86400 example.net - own "
            "mx.example.net\n"
            f"{day * DAY_S + 1} fetchable example.net\n", encoding="ascii")


@pytest.fixture(name="place")
def place_in_test(tmp_path):
    return Place(tmp_path)


def write_days(folder, days, **keys):
    folder.mkdir(exist_ok=True)
    for number, day in enumerate(days):
        (folder / f"{day}-{number}.json").write_bytes(body(day, **keys))
    return folder


def test_vectors(place):
    """All that the vectors have; those that differ but have the same id contradict each other."""
    process = place.run("--import-report", VECTORS)
    assert process.returncode == 1  # for the empty file
    assert process.stderr.decode() == f"mta-stsd-reports: {VECTORS}/empty.json is empty\n"
    assert process.stdout.decode() == (
        "32 reports: 2 new, 7 known already, 20 of an id that another report has too, with other "
        "content, 3 unreadable, kept aside\n1 of 6 mails has no report\n")
    assert place.imports(VECTORS / "ok.json.gz", VECTORS / "ok.eml") == \
        "2 reports: 2 known already\n"
    assert place.says().endswith(
        "\n2 domains: 2 NO DATA\n3 reports could not be read; see mta-stsd --reports --raw\n")
    assert sorted(report["reason"] for report in json.loads(place.says("--raw"))) == [
        "has 20427 bytes, but more than 4150936 when decompressed",
        "is damaged gzip data: incorrect data check", "is gzip data that is cut off"]
    # UTF-8 is printed as text; the sender of the other one meant nothing else
    raw = json.loads(place.says("--raw", "EXAMPLE.net."))
    assert len(raw) == 22 and sum("base64" in report for report in raw) == 1
    assert "not-mine.example" in "".join(report.get("report", "") for report in raw)


def test_no_escape_reaches_a_terminal(place):
    place.imports(VECTORS / "org-control-chars.json")
    for arguments in ([], ["--json"], ["--raw", "example.net"], ["--raw"]):
        printed = place.says("--days", "400", *arguments)
        assert not re.search(r"[\0-\x09\x0b-\x1f\x7f-\x9f]", printed)


@pytest.mark.parametrize("failures, verdict, status", [
    ((), "READY", 0),
    (("certificate-expired",), "BROKEN", 1),
])
def test_verdict(place, failures, verdict, status):
    """By mails that DKIM proves; the same reports without a proof are never enough."""
    place.serves_since(today() - 40)
    days = range(today() - 20, today())
    details = [{"result-type": kind, "receiving-mx-hostname": "mx.example.net",
                "failed-session-count": 10} for kind in failures]
    for day in days:
        report = body(day, failed=10 * len(details), failures=details)
        assert place.pipes(mail(report, "other.example; dkim=pass header.d=sender.example")) == \
            (0, "")
    unproven, = place.tells("example.net")
    assert unproven["verdict"] not in ("READY", "BROKEN")
    assert unproven["reporters"][0]["proof"] == "none"
    for day in days:
        assert place.pipes(mail(body(day, failed=10 * len(details), failures=details))) == (0, "")
    proven, = json.loads(place.says("--json", "example.net", status=status))
    assert (proven["verdict"], proven["mode"]) == (verdict, "testing")
    assert {reporter["proof"]: reporter["successful"] for reporter in proven["reporters"]} == {
        "dkim": 20 * len(days)}
    assert place.says("example.net", status=status).startswith(
        f"example.net: {verdict} (mode testing)\n")
    shown = place.says("--failures", status=status)
    assert shown.count("\nexample.net: ") + shown.startswith("example.net: ") == len(failures)
    assert shown.endswith(f"2 domains: 1 {verdict}, 1 NO DATA\n")


def check_results(*subjects):
    """As the daemon has them, with what an MX host may answer."""
    return json.dumps({"domains": [{
        "domain": "example.net", "verdict": "unready", "text": "x", "findings": [
            {"severity": "error", "code": "mx-cert-expired", "subject": subject,
             "text": "the certificate has expired: \x1b[31m", "meaning": "m", "advice": "a",
             "source": "s"} for subject in subjects]}], "checked": 2})


def test_failures_that_the_check_reproduces(place):
    """One session of many is tolerated, but not if the last check sees the same."""
    place.serves_since(today() - 40)
    details = [{"result-type": "certificate-expired", "receiving-mx-hostname": "mx.example.net",
                "failed-session-count": 1}]
    for ago in range(1, 20):
        report = body(today() - ago, successful=2000, failed=ago == 1,
                      failures=details if ago == 1 else ())
        assert place.pipes(mail(report)) == (0, "")
    checks = place.state / "check.json"
    assert place.tells("example.net")[0]["verdict"] == "READY"
    checks.write_text(check_results("mx9.example.net"))
    assert place.tells("example.net")[0]["verdict"] == "READY"
    checks.write_text(check_results("mx9.example.net", "mx.example.net [192.0.2.7]"))
    shown = place.says("example.net")
    assert shown.startswith("example.net: NOT YET (mode testing)\n")
    assert re.search(r"  - the check of \d+ \w+ \d{4} finds what sender.example has reported "
                     r"\(certificate-expired\) at mx.example.net \[192.0.2.7\]: "
                     r"the certificate has expired: \\x1b\[31m \(mx-cert-expired\)\.\n", shown)
    assert shown.count("the check of") == 1
    long_ago = time.time() - 60 * DAY_S
    os.utime(checks, (long_ago, long_ago))
    assert place.tells("example.net")[0]["verdict"] == "READY"
    checks.write_text("{\"domains\": [")
    process = place.run("--reports", "example.net")
    assert process.returncode == 0 and process.stdout.startswith(b"example.net: READY")
    assert process.stderr.decode().startswith(
        "mta-stsd-reports: what the last check found is left out: ")


def test_days(place):
    place.imports(write_days(place.folder / "reports", [today() - 40, today() - 10]))
    assert [entry["day"] for entry in place.tells("example.net")[0]["entries"]] == [
        time.strftime("%Y-%m-%d", time.gmtime((today() - 10) * DAY_S))]
    assert len(place.tells("example.net", "--days", "41")[0]["entries"]) == 2


def test_of_all_kinds_of_files(place):
    """A folder with JSON, gzip under a wrong name, an mbox, a Maildir, and what is none of it."""
    folder = place.folder / "reports"
    for name in ("cur", "new", "tmp"):
        (folder / "maildir" / name).mkdir(parents=True)
    day = today() - 3
    (folder / "a.json").write_bytes(body(day, 1))
    (folder / "b.json").write_bytes(gzip.compress(body(day, 2)))
    (folder / "mbox").write_bytes(
        b"From a Thu Jan  1 00:00:00 2026\n" + mail(body(day, 3)) +
        b"\n\nFrom b Thu Jan  1 00:00:00 2026\nSubject: lunch?\n\nToday?\n")
    (folder / "maildir/new/1.a.b").write_bytes(mail(body(day, 4)))
    (folder / "maildir/tmp/2.a.b").write_bytes(mail(body(day, 5))[:300])
    (folder / "notes.txt").write_text("x\0y")
    printed = place.imports(folder)
    assert printed.startswith("4 reports: 4 new\n1 of 3 mails has no report\n")
    process = place.run("--import-report", place.folder / "missing", folder / "a.json")
    assert (process.returncode, process.stdout) == (1, b"1 report: 1 known already\n")
    assert process.stderr.decode() == \
        f"mta-stsd-reports: {place.folder}/missing cannot be read: No such file or directory\n"


def test_mail_by_an_mta(place):
    """What Postfix takes for delivered (0), for undeliverable (65), for later (75)."""
    assert place.pipes(mail(body(today() - 1))) == (0, "")
    assert place.pipes((VECTORS / "ok.eml").read_bytes()) == (0, "")
    assert place.pipes(b"From: a@example.com\nSubject: lunch?\n\nToday?\n") == (0, "")
    assert place.pipes(mail(b"no report")) == (0, "")
    assert place.pipes(b"") == (EX_DATAERR, "standard input is empty\n")
    assert place.pipes(b"\0\1\2")[0] == EX_DATAERR
    assert len(json.loads(place.says("--raw"))) == 1


def test_mail_when_we_are_broken(place):
    """The mail is good, so the MTA has to keep it: no other status than 75 does that."""
    good, report = place.config.read_text(encoding="utf-8"), mail(body(today() - 1))
    for broken, why in [("domains: {", "mta-stsd.yaml"), (good.replace(str(place.state), "/dev/null/x"),
                                                         "/dev/null/x")]:
        place.config.write_text(broken, encoding="utf-8")
        status, said = place.pipes(report)
        assert status == EX_TEMPFAIL and why in said
    settings = json.loads(good)
    del settings["state"], settings["reports"]
    place.config.write_text(json.dumps(settings), encoding="utf-8")
    assert place.pipes(report) == (
        EX_TEMPFAIL, "there is no place for reports: set state: in the configuration\n")
    place.config.write_text(good, encoding="utf-8")
    assert place.pipes(report) == (0, "")


def test_mail_while_the_database_is_locked(place):
    place.imports(VECTORS / "ok.json")
    with sqlite3.connect(place.state / "reports.sqlite", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        status, said = place.pipes(mail(body(today() - 1)))
        other.execute("ROLLBACK")
    assert status == EX_TEMPFAIL and "locked" in said


def test_spool(place):
    """Taken out once the database has it; what is no entry is put aside."""
    assert place.takes_spool() == (0, "")
    for number in range(20):
        place.put(number, gzip.compress(body(today() - 2, number)))
    place.put(20, b"{no report")
    place.put(21, gzip.compress(body(today() - 2, 0)))
    (place.state / "spool" / "1764370000000099-0000000000000063").write_bytes(b"no entry")
    (place.state / "spool" / ".being-written").write_bytes(b"x")
    status, said = place.takes_spool()
    assert (status, said) == (0, "22 reports: 20 new, 1 known already, 1 unreadable, kept aside\n"
                                 "mta-stsd-reports: 1 file of the spool was put into spool/failed\n")
    left = sorted(path.name for path in (place.state / "spool").rglob("*") if path.is_file())
    assert left == [".being-written", "1764370000000099-0000000000000063",
                    "1764370000000099-0000000000000063.reason"]
    reporter, = place.tells("example.net")[0]["reporters"]
    assert (reporter["name"], reporter["proof"], reporter["successful"]) == \
        ("sender.example", "none", 400)


def test_bomb_in_the_spool(place):
    """It is kept aside within little memory, and the next one is read."""
    place.put(1, (VECTORS / "bomb-20MiB-spaces.json.gz").read_bytes())
    place.put(2, b'{"policies":[' + b"{}," * 300000 + b"{}]}")
    place.put(3, gzip.compress(b'{"policies":' + b"[" * 1000000))
    place.put(4, gzip.compress(body(today() - 2)))
    status, said = place.takes_spool()
    assert (status, said) == (0, "4 reports: 1 new, 3 unreadable, kept aside\n")
    reasons = [report["reason"] for report in json.loads(place.says("--raw"))]
    assert reasons[1] == "has more than 20000 objects and arrays"
    assert re.fullmatch(r"has \d+ bytes, but more than \d+ when decompressed", reasons[2])


@pytest.mark.parametrize("arguments, message", [
    (["--reports", "a..b"], "'a..b' has an empty label"),
    (["--reports", "example.org"], "'example.org' is neither a domain of the configuration nor an "
                                   "MX host of one"),
    (["--reports", "--dayz"], "--dayz is not an option; did you mean --days?"),
    (["--reports", "--spool", "x"], "x is one argument too many; see --help"),
])
def test_usage(place, arguments, message):
    process = place.run(*arguments)
    assert (process.returncode, process.stdout) == (2, b"")
    assert process.stderr.decode() == f"mta-stsd-reports: {message}\n"


def test_mx_hosts_are_ours(place):
    """Reports about DANE name the MX host."""
    assert place.says("mx.example.net").startswith("mx.example.net: ")


def test_terminal_instead_of_a_mail(place):
    """Nobody types a mail."""
    master, slave = pty.openpty()
    process = subprocess.run([PROGRAM, "-c", place.config, "--import-report"], stdin=slave,
                             capture_output=True, timeout=60, check=False)
    os.close(master)
    os.close(slave)
    assert (process.returncode, process.stderr) == (
        2, b"mta-stsd-reports: --import-report needs files, or a mail on standard input\n")


def test_help_and_version(place):
    for option in ("--help", "--version"):
        process = place.run("--reports", option)
        assert (process.returncode, process.stderr) == (0, b"")
    version = re.search(r"\nproject\(mta-stsd VERSION ([\d.]+)",
                        (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))[1]
    assert process.stdout.decode() == f"mta-stsd-reports {version}\n"


def test_full_output(place):
    with open("/dev/full", "wb") as full:
        process = subprocess.run([PROGRAM, "-c", place.config, "--reports"], stdout=full,
                                 stderr=subprocess.PIPE, timeout=60, check=False)
    assert (process.returncode, process.stderr) == (
        3, b"mta-stsd-reports: the output cannot be written: No space left on device\n")


def test_many(place):
    """10,000 reports in less than 3 s."""
    folder = place.folder / "reports"
    folder.mkdir()
    for number in range(10000):
        (folder / f"{number}.json.gz").write_bytes(
            gzip.compress(body(today() - 1 - number % 20, number), compresslevel=1))
    began = time.monotonic()
    assert place.imports(folder) == "10000 reports: 10000 new\n"
    if not IS_SANITIZED:
        assert time.monotonic() - began < 3
    began = time.monotonic()
    assert place.tells("example.net")[0]["reporters"][0]["successful"] == 200000
    if not IS_SANITIZED:
        assert time.monotonic() - began < 1


def test_daemon(pki, tmp_path):
    """What curl sends as sys4's reporter does is shown within seconds, and taken out of the spool."""
    settings = configuration(pki, tmp_path, {"example.net": {"mx": ["mx.example.net"]},
                                             "example.com": {"mx": ["mx.example.com"]}},
                             state=str(tmp_path / "state"))
    with Operated(tmp_path, settings) as daemon:
        subprocess.run(
            ["curl", "--silent", "--cacert", str(pki.ca), "--resolve",
             f"{HOST}:{daemon.address[1]}:{daemon.address[0]}", "--header",
             "Content-Type: application/tlsrpt+gzip", "--data-binary", "@-",
             f"https://{HOST}:{daemon.address[1]}/tlsrpt"],
            input=gzip.compress(body(today() - 1)), timeout=60, check=True)
        daemon.log.wait_for("reports: 1 report: 1 new$")
        wait_until(lambda: not list((tmp_path / "state/spool").glob("[0-9]*")), "an empty spool")
        shown = json.loads(daemon.ask("--reports", "--json", "example.net").stdout)
        assert [(reporter["name"], reporter["successful"]) for reporter in shown[0]["reporters"]] \
            == [("sender.example", 20)]
