# SPDX-License-Identifier: MIT
"""`--site`: the files, without a browser."""

import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest

from operated import wait_until
from place import PROGRAM, REPORTS, Place

ASSETS = {"index.html", "domain.html", "icon.svg", "site.css", "site.js", "front.js", "domain.js",
          "chart.js"}
DATA = {"data-front.js", "data-firsts.js", "data-names-0.js", "data-domains-0.js"}
CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
       "connect-src 'self'; base-uri 'none'; form-action 'none'; "
       "require-trusted-types-for 'script'; trusted-types site")


class Small(Place):
    """One domain, and no certificate, check or report."""

    def __init__(self, folder, **domains):
        super().__init__(folder, domains or {"example.net": ("testing", 0, (), None)})
        self.config.write_text(json.dumps(self.settings()), encoding="utf-8")

    def refused(self, *arguments):
        process = self.run("--site", *arguments)
        return process.returncode, process.stderr.decode()


@pytest.fixture(name="small")
def place_of_one_domain(tmp_path):
    return Small(tmp_path)


def test_files(place):
    assert {path.name for path in place.site.iterdir()} == ASSETS | DATA
    assert not place.site.with_name("site.new").exists()
    total = sum(os.stat(place.site / name).st_size
                for name in ASSETS - {"domain.html", "domain.js"} | {"data-front.js"})
    assert total < 300_000


def test_pages_are_strict(place):
    """No script, style or handler within a page; nothing from elsewhere."""
    for name in ("index.html", "domain.html"):
        page = (place.site / name).read_text(encoding="utf-8")
        assert f'<meta http-equiv="Content-Security-Policy" content="{CSP}">' in page
        assert page.count("<main ") == page.count("</main>") == page.count("<h1 ") == 1
        assert not re.search(r"<script(?! src=\"[a-z]+\.js\" defer></script>)|<style| style=| on[a-z]+=", page)
        assert not re.search(r"(?:src|href)=\"(?:[a-z]+:|/)", page)
    for name in ("site.js", "front.js", "domain.js"):
        script = (place.site / name).read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|https?:",
                             script)


def test_library_keeps_its_licence(place):
    assert "Chart.js v3" in (place.site / "chart.js").read_text(encoding="utf-8")[:200]
    assert "MIT" in (place.site / "chart.js").read_text(encoding="utf-8")[:300]


def test_domain(place):
    domain = place.domain("garage.example")
    assert (domain["mode"], domain["verdict"]) == ("testing", "BROKEN")
    assert domain["id"] == place.id_of("garage.example")
    assert domain["body"] == place.run("--print-policy", "garage.example").stdout.decode()
    assert domain["certificate"]["state"] == "ok"
    assert domain["failures"][0]["type"] == "certificate-expired"
    assert sum(sum(row[4:]) for row in domain["sessions"]) == sum(
        failure["sessions"] for failure in domain["failures"])


def test_numbers_are_those_of_reports(place):
    """The site and --reports --json say the same."""
    said = json.loads(place.run("--reports", "--json", "bakery.example").stdout)[0]
    shown = place.domain("bakery.example")
    for key in ("verdict", "reasons", "missing_reporters", "fetchers"):
        assert shown[key] == said[key], key
    assert sum(row[3] for row in shown["sessions"]) == sum(
        entry["successful"] for entry in said["entries"])


def test_fetchers(place):
    """Those of real fetches; what a sender calls itself is in no file."""
    shown = {each["sender"]: each for each in place.domain("bakery.example")["fetchers"]}
    assert {sender: each["fetches"] for sender, each in shown.items()} == {
        "google": 2, "go": 1, "checker": 1}
    assert (shown["google"]["name"], shown["google"]["prefix"]) == ("Google", "127.0.0.0/24")
    assert all(each["has_current"] is True for each in shown.values())
    assert place.domain("clinic.example")["fetchers"] == []
    others, = place.domain("tailor.example")["fetchers"]
    assert (others["sender"], others["name"]) == ("other", "others")
    assert place.value("front")["fetched"] == {
        "now": 2, "earlier": 0, "unknown": 0, "never": len(place.domains) - 2}


def test_fetched_before(small):
    """A policy that is changed has not been fetched; a damaged ledger cannot tell."""
    def fetched():
        small.write()
        fetcher, = small.domain("example.net")["fetchers"]
        assert small.value("front")["fetched"] == {
            key: int(key == small.known) for key in ("now", "earlier", "unknown", "never")}
        return fetcher["fetches"], fetcher["has_current"]

    small.domains = {"example.net": ("testing", 0, (), 80)}
    small.make_certificates()
    small.serve({"example.net": ["Google-SMTP-STS"] * 3})
    small.known = "now"
    assert fetched() == (3, True)
    last_unix_s = small.domain("example.net")["fetchers"][0]["last_unix"]
    wait_until(lambda: time.time() >= last_unix_s + 1, "the next second")
    small.domains = {"example.net": ("enforce", 0, (), 80)}
    small.serve({})
    small.known = "earlier"
    assert fetched() == (3, False)
    (small.state / "ledger").write_text("mta-stsd ledger 1\nwhat\n", encoding="ascii")
    small.known = "unknown"
    assert fetched() == (3, None)


def test_days(place, tmp_path):
    place.write("--days", "7", folder=tmp_path / "week")
    text = (tmp_path / "week" / "data-front.js").read_text(encoding="utf-8")
    assert len(json.loads(text[text.index("\n"):-3])["days"]) == 2 * 8


def test_nothing_known(small):
    """No ledger, no check, no report, no certificate."""
    assert small.write() == f"{small.site}: 1 domain\n"
    front = small.value("front")
    assert (front["domains"], front["checked"]) == (1, 0)
    assert [group["code"] for group in front["groups"]] == ["certificate-missing"]


def test_damaged_ledger(small):
    (small.state / "ledger").write_text("mta-stsd ledger 1\nwhat\n", encoding="ascii")
    small.write()
    assert small.value("front")["warning"] == \
        "Line 2 of the ledger is damaged, so nobody knows what senders may hold."


def test_damaged_check(small):
    """That is said, and the site knows of no check."""
    for damage in ("", "[", '{"domains": [', '{"domains": [{"domain": "example.net"}', "{}"):
        (small.state / "check.json").write_text(damage, encoding="ascii")
        status, error = small.refused(small.site)
        assert status == 0 and "check.json' is damaged: " in error, damage
        assert small.value("front")["checked"] == 0


def test_foreign_folder(small):
    """A folder of somebody else's is left as it is."""
    small.site.mkdir()
    (small.site / "precious.txt").write_text("mine", encoding="ascii")
    status, error = small.refused(small.site)
    assert status == 3 and error == (
        f"mta-stsd-reports: '{small.site}' has 'precious.txt' in it, which is no file of the site; "
        "name a new or an empty folder\n")
    assert [path.name for path in small.site.iterdir()] == ["precious.txt"]
    assert not small.site.with_name("site.new").exists()


def test_link(small, tmp_path):
    """A symbolic link in its place is not followed."""
    (tmp_path / "elsewhere").mkdir()
    small.site.symlink_to(tmp_path / "elsewhere")
    assert small.refused(small.site)[0] == 3
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_no_parent(small, tmp_path):
    status, error = small.refused(tmp_path / "no" / "site")
    assert status == 3 and "cannot be made: No such file or directory" in error


def test_usage(small):
    for arguments in (["--site"], ["--site", small.site, "more"], ["--site", small.site, "--json"]):
        process = small.run(*arguments, program=REPORTS)
        assert process.returncode == 2 and process.stderr != b"", arguments


def test_trailing_slash(small):
    small.write(folder=f"{small.site}/")
    small.write(folder=f"{small.site}///")
    assert ASSETS < {path.name for path in small.site.iterdir()}


def test_killed_run(small):
    """What a killed run has left is removed by the next."""
    small.write()
    left = small.site.with_name("site.new")
    left.mkdir()
    (left / "data-domains-7.js").write_text("half", encoding="ascii")
    small.write()
    assert not left.exists() and not (small.site / "data-domains-7.js").exists()


def test_never_half(small):
    """Whoever reads while the site is written again finds all files, each whole, of one run."""
    names = [f"d{number}.example" for number in range(300)]
    small.domains = {name: ("testing", 0, (), None) for name in names}
    small.config.write_text(json.dumps(small.settings()), encoding="utf-8")
    small.write()
    is_over = threading.Event()
    faults = []

    def read():
        while not is_over.is_set():
            folder = os.open(small.site, os.O_RDONLY)
            try:
                read_folder(folder)
            except FileNotFoundError:
                # The folder was opened before it was replaced, and has been removed since.
                if os.stat(small.site).st_ino == os.fstat(folder).st_ino:
                    faults.append("a file was missing")
            finally:
                os.close(folder)

    def read_folder(folder):
        for name in ("data-front.js", "data-firsts.js", "data-domains-0.js", "chart.js"):
            file = os.open(name, os.O_RDONLY, dir_fd=folder)
            with open(file, encoding="utf-8") as text:
                content = text.read()
            if not content.endswith("\n"):
                faults.append(f"{name} was half")

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(10):
        small.write()
    is_over.set()
    reader.join()
    assert faults == []


def test_two_runs(small):
    """The second one says so, and the first one goes on."""
    small.write()
    folder = small.site.with_name("site.new")
    names = {f"d{number}.example": ("testing", 0, (), None) for number in range(30000)}
    small.domains = names
    small.config.write_text(json.dumps(small.settings()), encoding="utf-8")
    with subprocess.Popen([PROGRAM, "-c", small.config, "--site", small.site],
                          stdout=subprocess.PIPE) as first:
        while not folder.exists():
            assert first.poll() is None
        first.send_signal(signal.SIGSTOP)
        try:
            status, error = small.refused(small.site)
            assert status == 3 and error == (
                f"mta-stsd-reports: '{small.site}' is being written by another run\n")
        finally:
            first.send_signal(signal.SIGCONT)
        assert first.wait(timeout=300) == 0
    assert small.value("front")["domains"] == 30000
    assert not folder.exists()


def test_shards(small):
    """Many domains: no file is large, each domain is where its first names say."""
    small.domains = {f"d{number:05}.example": ("testing", 0, (), None) for number in range(12000)}
    small.config.write_text(json.dumps(small.settings()), encoding="utf-8")
    small.write()
    assert max(path.stat().st_size for path in small.site.iterdir()) < 300_000
    firsts = small.value("firsts")
    assert len(firsts) > 20 and firsts == sorted(firsts)
    seen = []
    for number, first in enumerate(firsts):
        domains = [each["domain"] for each in small.value(f"domains-{number}")]
        assert domains[0] == first
        seen += domains
    assert seen == sorted(small.domains)
    front = small.value("front")
    names = [name for number in range(front["name_files"])
             for name, _ in small.value(f"names-{number}")]
    assert names == seen
    group = front["groups"][0]
    assert group["n"] == 12000 and len(group["rows"]) == 5
    rows = [name for number in range(group["files"])
            for name, _ in small.value(f"group-0-{number}")]
    assert [name for name, _ in group["rows"]] + rows == seen
