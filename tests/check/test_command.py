# SPDX-License-Identifier: MIT
"""The command line of --check: what it prints, in which format, and how it ends."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import unshared
from conftest import check
from daemon import PROGRAM, run
from processes import eventually
from scenarios import OURS

ROWS = json.loads(run("--list-checks", "--json").stdout)


def test_text(internet):
    done = check(internet, "bad-id.example")
    assert done.returncode == 1
    assert done.stdout.decode() == (
        "bad-id.example: ignored: senders do not get the policy\n"
        "  error: the record 'v=STSv1; id=2026-11-29;': id '2026-11-29' is not 1 to 32 letters and "
        "digits [txt-syntax]\n"
        "    Senders ignore the record, and with it the policy. Publish the record as mta-stsd "
        "--print-dns prints it. (RFC 8461 3.1)\n")
    assert done.stderr == b""


def test_text_of_several_domains_ends_in_a_sum(internet):
    done = check(internet, "good.example", "testing.example", "bad-id.example")
    assert done.returncode == 1
    assert re.search(r"^good\.example: enforced: senders deliver with verified TLS$",
                     done.stdout.decode(), re.MULTILINE)
    assert done.stdout.decode().endswith("3 domains: 1 error, 0 warnings, 1 note, 0 unknown\n")


def test_the_advice_stands_once(internet):
    printed = check(internet, "cert-name.example").stdout.decode()
    assert len(re.findall(r"\[cert-name\]", printed)) == 2
    assert printed.count("Senders refuse the certificate.") == 1


def test_quiet(internet):
    done = check(internet, "--quiet", "good.example", "testing.example", "bad-id.example")
    assert done.returncode == 1
    assert done.stdout.decode().startswith("bad-id.example: ")
    assert len(done.stdout.decode().splitlines()) == 3
    assert check(internet, "--quiet", "good.example", "testing.example").stdout == b""


def test_json(internet):
    report = json.loads(check(internet, "--json", "testing.example").stdout)
    domain, = report["domains"]
    counts = {"errors": 0, "warnings": 0, "notes": 1, "unknown": 0}
    assert {"checked": 1, **counts}.items() <= report.items()
    assert counts.items() <= domain.items()
    row = next(row for row in ROWS if row["code"] == "mode-testing")
    assert domain["findings"] == [{**row, "subject": None, "text": "the mode is testing"}]
    assert domain["policy"] == {"mode": "testing", "max_age": 1209600,
                                "mx": ["mx1.provider.example"]}
    assert domain["mx"] == [{"host": "mx1.provider.example", "preference": 10, "in_policy": True,
                             "mta_sts": "accepts", "dane": "accepts"}]
    assert [address["status"] for address in domain["policy_host"]] == [200, 200]


@pytest.mark.parametrize("domain, sentence", [
    ("dane.example", "enforced: senders deliver with verified TLS"),
    ("dane-broken.example", "mail is at risk: senders with MTA-STS alone deliver with verified "
     "TLS; senders with DANE refuse the only MX host"),
    ("dane-self.example", "mail is at risk: senders with MTA-STS alone refuse the only MX host; "
     "senders with DANE deliver to the only MX host"),
    ("dane-name.example", "mail is lost: senders refuse the only MX host"),
])
def test_verdict_of_senders_with_dane(internet, domain, sentence):
    done = check(internet, domain)
    assert done.stdout.decode().splitlines()[0] == f"{domain}: {sentence}"
    assert done.returncode == (0 if domain == "dane.example" else 1)


def test_json_and_quiet(internet):
    report = json.loads(check(internet, "--json", "--quiet", "testing.example",
                              "beside-spf.example", "deaf.example").stdout)
    verdicts = {domain["domain"]: domain["verdict"] for domain in report["domains"]}
    assert verdicts == {"beside-spf.example": "enforced", "deaf.example": "unknown"}
    assert report["checked"] == 3


@pytest.mark.parametrize("domains, state, status", [
    (["good.example"], "OK - 1 domain, 0 errors, 0 warnings |", 0),
    (["testing.example"], "OK - 1 domain, 0 errors, 0 warnings |", 0),
    (["beside-spf.example"], "WARNING - 1 domain, 0 errors, 1 warning |", 1),
    (["good.example", "bad-id.example"],
     "CRITICAL - 2 domains, 1 error, 0 warnings, first bad-id.example: txt-syntax |", 2),
    (["backup.example"], "CRITICAL - 1 domain, 1 error, 0 warnings, senders with MTA-STS refuse mail "
     "for 1 domain, first backup.example: mx-not-in-policy |", 2),
    (["dane-broken.example"], "CRITICAL - 1 domain, 1 error, 0 warnings, senders with DANE refuse "
     "mail for 1 domain, first dane-broken.example: tlsa-mismatch |", 2),
    (["deaf.example"], "UNKNOWN - 1 domain, 0 errors, 0 warnings |", 3),
    (["deaf.example", "good.example"], "OK - 2 domains, 0 errors, 0 warnings |", 0),
    (["deaf.example", "private.example"], "CRITICAL - 2 domains, 1 error, 0 warnings, first "
     "private.example: address-special |", 2),
])
def test_nagios(internet, domains, state, status):
    done = check(internet, "--nagios", *domains)
    assert done.returncode == status
    assert done.stdout.decode().startswith(f"MTA-STS {state} errors=")
    assert done.stdout.count(b"\n") == 1


@pytest.mark.parametrize("option", [[], ["--quiet"], ["--json"]])
def test_nothing_tried(internet, tmp_path, option):
    """No answer of DNS is not taken for a check without errors; the metrics before it stay."""
    metrics = tmp_path / "check.prom"
    metrics.write_text("before")
    done = check(internet, "--metrics", metrics, *option, "deaf.example")
    assert done.returncode == 3
    assert done.stderr == (b"mta-stsd-check: no domain could be tried from here; --check without "
                           b"--quiet says why\n")
    assert (b"no answer" in done.stdout) == (option == [] or option == ["--json"])
    assert metrics.read_text() == "before"


def test_metrics(internet, tmp_path):
    done = check(internet, "--json", "--metrics", tmp_path / "check.prom", "good.example",
                 "bad-id.example")
    assert done.returncode == 1
    lines = (tmp_path / "check.prom").read_text().splitlines()
    assert {'mtasts_check_domains{verdict="enforced"} 1', 'mtasts_check_domains{verdict="ignored"} 1',
            'mtasts_check_dane_domains{verdict="absent"} 2',
            'mtasts_check_findings{severity="error"} 1'} <= set(lines)
    assert len(json.loads(done.stdout)["domains"]) == 2
    done = check(internet, "--metrics", tmp_path / "none/check.prom", "good.example")
    assert done.returncode == 3


@contextlib.contextmanager
def slow_check(internet, *arguments):
    """While it waits for a policy host that gives no answer."""
    with subprocess.Popen([PROGRAM, "--check", "--dns-config", internet.unbound_conf, "--timeout",
                           "2", *arguments, "timeout.example"], stdout=subprocess.PIPE) as process:
        yield process


def status_of(pid):
    return dict(line.split(":\t", 1) for line in
                pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines())


def children_of(process):
    return pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()


def is_running(pid):
    with contextlib.suppress(FileNotFoundError):
        return status_of(pid)["State"][0] not in "ZX"
    return False


@pytest.mark.skipif(not unshared.IS_ROOT, reason="only root has something to give up")
def test_no_root_reads_what_strangers_send(internet, tmp_path):
    """What root alone may read is opened before: the zone's keys, the certificates of the roots."""
    metrics = tmp_path / "check.prom"
    assert tmp_path.stat().st_mode & 0o077 == 0
    with slow_check(internet, "--metrics", metrics) as process:
        child, = eventually(lambda: children_of(process), "a child of --check")
        eventually(lambda: status_of(child)["Uid"].split() != ["0"] * 4, "a child without root")
        threads = os.listdir(f"/proc/{child}/task")
        assert len(threads) > 1
        for thread in threads:
            status = status_of(f"{child}/task/{thread}")
            assert "0" not in [*status["Uid"].split(), *status["Gid"].split(),
                               *status["Groups"].split()]
            assert int(status["CapPrm"], 16) == int(status["CapEff"], 16) == 0
            assert status["NoNewPrivs"] == "1"
        assert b"[http-timeout]" in process.stdout.read()
    assert process.returncode == 1
    assert 'mtasts_check_findings{severity="error"} 1' in metrics.read_text()


@pytest.mark.skipif(not unshared.IS_ROOT, reason="only root has something to give up")
def test_the_child_ends_with_its_parent(internet):
    with slow_check(internet) as process:
        child, = eventually(lambda: children_of(process), "a child of --check")
        eventually(lambda: status_of(child)["Uid"].split() != ["0"] * 4, "a child without root")
        process.terminate()
        process.wait(5)
        eventually(lambda: not is_running(child), "the child has ended", 1)


def test_all_that_is_hosted(internet):
    done = check(internet, "--json", "-c", internet.daemon.config_path)
    domains = json.loads(done.stdout)["domains"]
    assert all(domain["hosted"] for domain in domains)
    assert {domain["domain"] for domain in domains} == set(OURS)


def test_without_smtp(internet):
    report = json.loads(check(internet, "--json", "--no-smtp", "mx-expired.example").stdout)
    assert report["domains"][0]["mx"][0]["mta_sts"] == "unknown"
    assert report["errors"] == 0


def test_private_addresses_when_they_are_allowed(internet):
    report = json.loads(check(internet, "--json", "--no-smtp", "--allow-private",
                              "private.example").stdout)
    codes = {finding["code"] for finding in report["domains"][0]["findings"]}
    assert codes & {"host-unreachable", "address-not-routed"}


def test_what_is_remote_is_escaped(internet):
    done = check(internet, "typographic.example", "mx-mail-address.example")
    assert done.stdout.isascii()


def test_list_checks():
    listed = run("--list-checks")
    assert listed.returncode == 0
    lines = listed.stdout.decode().splitlines()
    assert [line.split()[:2] for line in lines] == [[row["code"], row["severity"]] for row in ROWS]
    assert {row["severity"] for row in ROWS} == {"error", "warning", "note", "unknown"}


@pytest.mark.parametrize("arguments, said", [
    (["--check", "--jsn"], "--jsn is not an option; did you mean --json?"),
    (["--check", "--jobs", "0"], "--jobs: expected a number from 1 to 512, found '0'"),
    (["--check", "--json", "--nagios"], "--json and --nagios do not go together"),
    (["--check", "-c", "/nonexistent.yaml"], "/nonexistent.yaml"),
    (["--check", "-c", "/nonexistent.yaml", "good.example"], "/nonexistent.yaml"),
    (["--check", "a..b"], "'a..b' has an empty label"),
    (["--check", "--config"], "--config needs a value"),
    (["--chec"], "write --check in full"),
])
def test_usage(arguments, said):
    done = run(*arguments)
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert done.stdout == b""


@pytest.mark.parametrize("arguments, said", [
    (["--dns-config", "/nonexistent.conf"], "/nonexistent.conf"),
    (["--dns-server", "nobody"], "'nobody' is no address of a resolver"),
    (["--ca-file", "/nonexistent.pem"], "/nonexistent.pem"),
])
def test_could_not_run(arguments, said):
    done = run("--check", *arguments, "good.example")
    assert done.returncode == 3
    assert said in done.stderr.decode()
    assert done.stdout == b""


def test_help_and_version():
    assert run("--check", "--help").stdout.startswith(b"Usage: mta-stsd --check ")
    version = run("--version").stdout.decode().split()[1]
    assert run("--check", "--version").stdout.decode() == f"mta-stsd-check {version}\n"


def test_the_other_program_lies_beside_this_one(tmp_path):
    alone = tmp_path / "mta-stsd"
    shutil.copy(PROGRAM, alone)
    done = subprocess.run([alone, "--check", "good.example"], capture_output=True, check=False)
    assert done.returncode == 3
    assert done.stderr.decode() == \
        f"mta-stsd: {tmp_path}/mta-stsd-check: No such file or directory\n"
    shutil.copy(pathlib.Path(PROGRAM).with_name("mta-stsd-check"), tmp_path)
    link = tmp_path / "elsewhere"
    link.symlink_to(alone)
    assert subprocess.run([link, "--check", "--help"], capture_output=True,
                          env={**os.environ, "PATH": ""}, check=False).returncode == 0


def test_full_disk():
    with open("/dev/full", "wb") as full:
        done = run("--list-checks", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 3
    assert b"the output cannot be written" in done.stderr
