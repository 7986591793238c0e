# SPDX-License-Identifier: MIT
"""`/status/`: the daemon has the site written, and its admin listener sends the files."""

import os
import time

import pytest

from operated import Operated, configuration, wait_until

DOMAINS = {"example.com": {"mx": ["mx.example.com"]}}
WRITTEN = "site_written_timestamp_seconds"
GOOD = 'site_runs_total{result="good"}'
FAILED = 'site_runs_total{result="failed"}'


def settings_of(pki, folder, domains=None, **keys):
    return configuration(pki, folder, domains or DOMAINS, state=str(folder / "state"), **keys)


@pytest.fixture(name="daemon")
def daemon_with_site(pki, tmp_path):
    with Operated(tmp_path, settings_of(pki, tmp_path)) as daemon:
        assert daemon.admin("/status/").status == 404
        wait_until(lambda: daemon.metric(GOOD) == 1, "a site", 120)
        yield daemon


def test_files(daemon, tmp_path):
    """What the site links to, with its type; HEAD without the body."""
    for name, kind in (("", "text/html; charset=utf-8"), ("index.html", "text/html; charset=utf-8"),
                       ("site.css", "text/css; charset=utf-8"),
                       ("site.js", "text/javascript; charset=utf-8"), ("icon.svg", "image/svg+xml"),
                       ("chart.js", "text/javascript; charset=utf-8"),
                       ("data-front.js", "text/javascript; charset=utf-8")):
        answer = daemon.admin(f"/status/{name}")
        assert (answer.status, answer.header("content-type")) == (200, kind), name
        assert answer.body == (tmp_path / "state/site" / (name or "index.html")).read_bytes()
        assert "frame-ancestors 'none'" in answer.header("content-security-policy")
        assert answer.header("content-security-policy").startswith("default-src 'none'; script-src 'self'")
        assert answer.header("x-content-type-options") == "nosniff"
        assert daemon.admin(f"/status/{name}", method="HEAD").body == b""
    assert daemon.admin("/status/index.html?x=1").status == 200
    answer = daemon.admin("/status")
    assert (answer.status, answer.header("location")) == (301, "status/")
    assert daemon.admin("/status/", method="POST").status == 405


def test_nothing_else(daemon, tmp_path):
    """No list, no hidden file, no symbolic link, no other type, nothing beside the folder."""
    state = tmp_path / "state"
    site = state / "site"
    (site / "secret.txt").write_text("secret")
    (site / ".hidden.js").write_text("secret")
    (site / "link.js").symlink_to(state / "ledger")
    (site / "folder.js").mkdir()
    os.mkfifo(site / "pipe.js")
    (state / "beside.js").write_text("secret")
    for path in ("secret.txt", ".hidden.js", "link.js", "folder.js", "pipe.js", "../beside.js",
                 "..%2fbeside.js", "%2e%2e/beside.js", "../ledger", "./site.js", "/site.js", ".", "..",
                 "folder.js/", "site", "no.js", "a" * 70 + ".js", "site.js%00", "x/../site.js"):
        answer = daemon.admin(f"/status/{path}")
        assert answer.status == 404 and b"secret" not in answer.body, path
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/index.html").write_text("secret")
    os.rename(site, state / "site.old")
    site.symlink_to(tmp_path / "elsewhere")
    assert daemon.admin("/status/").status == 404


def test_time(daemon, pki, tmp_path):
    """The metrics say when the site was written."""
    first = daemon.metric(WRITTEN)
    assert abs(first - time.time()) < 600
    wait_until(lambda: time.time() >= first + 1, "the next second")
    assert daemon.change(settings_of(pki, tmp_path)).returncode == 0
    wait_until(lambda: daemon.metric(WRITTEN) > first, "a later time", 120)


def test_reload(daemon, pki, tmp_path):
    """A reload is on the site some seconds later."""
    settings = settings_of(pki, tmp_path, {**DOMAINS, "example.net": {"mx": ["mx.example.com"]}})
    assert daemon.change(settings).returncode == 0
    wait_until(lambda: b"example.net" in daemon.admin("/status/data-names-0.js").body, "the domain", 120)


def test_failure(pki, tmp_path):
    """It is said, and what was there before stays."""
    site = tmp_path / "state/site"
    site.mkdir(parents=True)
    (site / "precious.txt").write_text("mine")
    with Operated(tmp_path, settings_of(pki, tmp_path)) as daemon:
        wait_until(lambda: daemon.metric(FAILED) == 1, "a failure", 120)
        daemon.log.wait_for(r"error: site: .*ended with status 3: .*'precious.txt' in it.* tried again in 1 hour")
        assert (site / "precious.txt").exists()


def test_without_state(pki, tmp_path):
    with Operated(tmp_path, configuration(pki, tmp_path, DOMAINS)) as daemon:
        answer = daemon.admin("/status/")
        assert answer.status == 404 and b"state:" in answer.body
