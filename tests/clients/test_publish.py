# SPDX-License-Identifier: MIT
"""The scripts of config/publish: what the daemon serves is what a name server or a checkout has."""

import pathlib
import subprocess
import time

import pytest

from nameservers import transfer
from network import RESOLVER
from operated import Operated
from processes import run

SCRIPTS = pathlib.Path(__file__).parents[2] / "config" / "publish"
DAY = 86400


def settings_of(folder, **domains):
    """Behind a proxy, so that no certificate is needed."""
    return {"user": "root", "admin": "off", "state": str(folder / "state"),
            "control": str(folder / "control.sock"),
            "listen": [{"address": f"unix:{folder}/http.sock", "tls": False}],
            "policy_host": {"name": "policy.provider.example"}, "limits": {"removed": "100%"},
            "domains": {name.replace("_", "."): {"mx": ["mx.one.example"], **keys}
                        for name, keys in domains.items()}}


@pytest.fixture(name="daemon")
def daemon_of_a_provider(named, tmp_path):
    del named
    with Operated(tmp_path, settings_of(tmp_path, one_example={})) as daemon:
        yield daemon


def published(zone):
    return {name for name, kind in transfer(RESOLVER, zone) if name.endswith(f"sts.{zone}")
            and kind in ("TXT", "CNAME")}


def sts_record(zone):
    return transfer(RESOLVER, zone)[f"_mta-sts.{zone}", "TXT"]


def age_ledger(folder):
    """Moves all that the ledger knows 30 days into the past."""
    path = folder / "state" / "ledger"
    head, *lines = path.read_text(encoding="ascii").splitlines()
    moved = (line.split(" ", 1) for line in lines)
    path.write_text("\n".join([head, *(f"{int(at) - 30 * DAY} {rest}" for at, rest in moved), ""]),
                    encoding="ascii")


def test_nsupdate(daemon, tmp_path):
    """A domain is added, changed, and deleted when no sender holds its policy any more."""
    def publish(status=0):
        run(SCRIPTS / "nsupdate.sh", daemon.config_path, status=status)

    names = {"_mta-sts.one.example", "mta-sts.one.example"}
    publish()
    before = sts_record("one.example")
    assert published("one.example") == names
    assert daemon.change(settings_of(tmp_path, one_example={"mode": "enforce"})).returncode == 0
    publish()
    assert sts_record("one.example") != before
    assert daemon.change(settings_of(tmp_path, many_example={})).returncode == 0
    publish()
    assert published("one.example") == names
    age_ledger(tmp_path)
    publish()
    assert published("one.example") == set()
    assert published("many.example") >= {"_mta-sts.many.example"}


def test_what_others_have_put_there_stays(daemon, tmp_path):
    run(SCRIPTS / "nsupdate.sh", daemon.config_path)
    assert daemon.change(settings_of(tmp_path, many_example={})).returncode == 0
    age_ledger(tmp_path)
    run("nsupdate", stdin='zone one.example.\nupdate delete _mta-sts.one.example. TXT\n'
        'update add _mta-sts.one.example. 60 TXT "v=STSv1; id=other;"\nsend\n')
    run(SCRIPTS / "nsupdate.sh", daemon.config_path)
    assert published("one.example") == {"_mta-sts.one.example"}
    run("nsupdate", stdin="zone one.example.\nupdate delete _mta-sts.one.example.\nsend\n")


def test_server_that_refuses(daemon, tmp_path):
    """A zone that the server does not have: the exit status says so."""
    assert daemon.change(settings_of(tmp_path, stranger_example={})).returncode == 0
    run(SCRIPTS / "nsupdate.sh", daemon.config_path, status=2)


def test_daemon_that_is_not_there(daemon, tmp_path):
    """Nothing is published by a guess."""
    other = tmp_path / "other.yaml"
    other.write_text(daemon.config_path.read_text(encoding="utf-8").replace(
        "control.sock", "absent.sock"), encoding="utf-8")
    run(SCRIPTS / "nsupdate.sh", other, status=3)


@pytest.mark.parametrize("tool, suffix", [("octodns", ".yaml"), ("dnscontrol", ".js")])
def test_git(daemon, tmp_path, tool, suffix):
    checkout, folder = tmp_path / "checkout", tmp_path / "checkout" / "mta-sts"
    run("git", "init", "--quiet", checkout)
    for key in ("name", "email"):
        run("git", "-C", checkout, "config", f"user.{key}", "mta-stsd")

    def commits():
        run(SCRIPTS / "git.sh", daemon.config_path, tool, folder)
        assert run("git", "-C", checkout, "status", "--porcelain") == ""
        return run("git", "-C", checkout, "rev-list", "--count", "HEAD").strip()

    assert [commits(), commits()] == ["1", "1"]
    assert daemon.change(settings_of(tmp_path, one_example={"mode": "enforce"})).returncode == 0
    assert commits() == "2"
    assert daemon.change(settings_of(tmp_path, many_example={})).returncode == 0
    assert commits() == "3"
    assert "v=STSv1" in (folder / f"one.example{suffix}").read_text(encoding="ascii")
    age_ledger(tmp_path)
    assert commits() == "4"
    assert "v=STSv1" not in (folder / f"one.example{suffix}").read_text(encoding="ascii")
