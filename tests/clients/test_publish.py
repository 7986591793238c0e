# SPDX-License-Identifier: MIT
"""The scripts of config/publish: what the daemon serves is what a name server or a checkout has."""

import json
import pathlib

import pytest

from daemon import write_configuration
from nameservers import ask, transfer, wire
from network import AUTHORITY, RESOLVER
from operated import Operated, wait_until
from processes import run

SCRIPTS = pathlib.Path(__file__).parents[2] / "config" / "publish"
DAY = 86400


def settings_of(folder, *program, **domains):
    """Behind a proxy, so that no certificate is needed."""
    settings = {"user": "root", "admin": "127.0.0.1:0", "state": str(folder / "state"),
                "control": str(folder / "control.sock"),
                "listen": [{"address": f"unix:{folder}/http.sock", "tls": False}],
                "policy_host": {"name": "policy.provider.example"}, "limits": {"removed": "100%"},
                "domains": {name.replace("_", "."): {"mx": ["mx.one.example"], **keys}
                            for name, keys in domains.items()}}
    return {**settings, "on_change": {"run": list(map(str, program))}} if program else settings


def published(zone):
    return {name for name, kind in transfer(RESOLVER, zone) if name.endswith(f"sts.{zone}")
            and kind in ("TXT", "CNAME")}


def sts_record(zone):
    return transfer(RESOLVER, zone)[f"_mta-sts.{zone}", "TXT"]


def addresses_of(name):
    return [rdata.to_text() for kind in ("A", "AAAA")
            for rdata in ask(RESOLVER, name, kind)[0].get(kind, [])]


def age_ledger(folder):
    """Moves all that the ledger knows 30 days into the past."""
    path = folder / "state" / "ledger"
    head, *lines = path.read_text(encoding="ascii").splitlines()
    moved = (line.split(" ", 1) for line in lines)
    path.write_text("\n".join([head, *(f"{int(at) - 30 * DAY} {rest}" for at, rest in moved), ""]),
                    encoding="ascii")


class Publishing:
    """A daemon whose program of on_change is nsupdate.sh."""

    def __init__(self, folder, *arguments):
        self.folder, self.program = folder, [SCRIPTS / "nsupdate.sh", *arguments]
        self.daemon = Operated(folder, self.settings(one_example={}))

    def settings(self, **domains):
        return settings_of(self.folder, *self.program, **domains)

    def change(self, **domains):
        assert self.daemon.change(self.settings(**domains)).returncode == 0


@pytest.fixture(name="publishing")
def daemon_that_publishes(named, tmp_path):
    del named
    publishing = Publishing(tmp_path)
    with publishing.daemon:
        wait_until(lambda: published("one.example") == NAMES, "the first records")
        yield publishing
    unpublish()


def unpublish():
    run("nsupdate", stdin="zone one.example.\nupdate delete _mta-sts.one.example.\n"
        "update delete mta-sts.one.example.\nsend\n")


NAMES = {"_mta-sts.one.example", "mta-sts.one.example"}


def test_nsupdate(publishing):
    """A domain is added, changed, and deleted when no sender holds its policy any more."""
    before = sts_record("one.example")
    publishing.change(one_example={"mode": "enforce"})
    wait_until(lambda: sts_record("one.example") != before, "the new id")
    publishing.change(many_example={})
    wait_until(lambda: published("many.example") >= {"_mta-sts.many.example"}, "the new domain")
    assert published("one.example") == NAMES
    age_ledger(publishing.folder)
    publishing.change(many_example={})
    wait_until(lambda: published("one.example") == set(), "the deletion")


def test_long_values(publishing):
    """A TXT record of several strings."""
    rua = [f"mailto:{'x' * 60}{i}@one.example" for i in range(6)]
    publishing.change(one_example={"tls_rpt": rua})
    records = json.loads(publishing.daemon.ask("--print-dns=json").stdout)
    record, = (record for record in records if record["name"].startswith("_smtp._tls"))
    key = record["name"], "TXT"
    assert len(record["strings"]) == 2
    # In place of what another test has left there.
    wait_until(lambda: transfer(RESOLVER, "one.example").get(key, (0, set()))[1] == {wire(record)},
               "the record")
    publishing.change(one_example={})
    wait_until(lambda: key not in transfer(RESOLVER, "one.example"), "the deletion")


def test_addresses(publishing):
    """Each of them is a change of its own, and takes the CNAME's place."""
    settings = publishing.settings(one_example={})
    for addresses in (["192.0.2.1", "192.0.2.2", "2001:db8::1"], ["192.0.2.2", "192.0.2.3"]):
        settings["policy_host"] = {"addresses": addresses}
        assert publishing.daemon.change(settings).returncode == 0
        wait_until(lambda: sorted(addresses_of("mta-sts.one.example")) == addresses, "addresses")
    publishing.change(one_example={})
    wait_until(lambda: published("one.example") == NAMES, "the CNAME")


def test_what_others_have_put_there_stays(publishing):
    publishing.change(many_example={})
    age_ledger(publishing.folder)
    run("nsupdate", stdin='zone one.example.\nupdate delete _mta-sts.one.example. TXT\n'
        'update add _mta-sts.one.example. 60 TXT "v=STSv1; id=other;"\nsend\n')
    publishing.change(many_example={})
    wait_until(lambda: published("one.example") == {"_mta-sts.one.example"}, "the deletion")


def test_server_that_refuses(publishing):
    """A zone that the server does not have: all is tried again until the zone is there."""
    publishing.change(one_example={}, stranger_example={})
    publishing.daemon.log.wait_for("nsupdate.sh' ended with status 2")
    assert publishing.daemon.metric("on_change_last_run_successful") == 0


def test_server_that_is_named(named, tmp_path):
    """Not the one in the zone's SOA: a server that refuses updates, and then the one that takes them."""
    del named
    with Publishing(tmp_path, AUTHORITY).daemon as daemon:
        daemon.log.wait_for("nsupdate.sh' ended with status 2")
    assert published("one.example") == set()
    with Publishing(tmp_path, RESOLVER).daemon:
        wait_until(lambda: published("one.example") == NAMES, "the records")
    unpublish()


@pytest.mark.parametrize("tool, suffix", [("octodns", ".yaml"), ("dnscontrol", ".js")])
def test_git(tmp_path, tool, suffix):
    checkout, folder = tmp_path / "checkout", tmp_path / "checkout" / "mta-sts"
    program = [SCRIPTS / "git.sh", tmp_path / "mta-stsd.yaml", tool, folder]
    file = folder / f"one.example{suffix}"
    run("git", "init", "--quiet", checkout)
    for key in ("name", "email"):
        run("git", "-C", checkout, "config", f"user.{key}", "mta-stsd")

    def is_committed(condition):
        """Whether the file is so, and all of it is committed: a run may still be under way."""
        return (file.exists() and condition(file.read_text(encoding="ascii")) and
                run("git", "--no-optional-locks", "-C", checkout, "status", "--porcelain") == "")

    def served_id(daemon):
        return daemon.ask("--print-id", "one.example").stdout.decode().strip()

    def change(daemon, **domains):
        assert daemon.change(settings_of(tmp_path, *program, **domains)).returncode == 0

    with Operated(tmp_path, settings_of(tmp_path, *program, one_example={})) as daemon:
        first = served_id(daemon)
        wait_until(lambda: is_committed(lambda text: first in text), "the first id")
        change(daemon, one_example={"mode": "enforce"})
        second = served_id(daemon)
        assert second != first
        wait_until(lambda: is_committed(
            lambda text: second in text and "withheld: " not in text), "the second id")
        change(daemon, many_example={})
        other = file.with_name(f"many.example{suffix}")
        wait_until(lambda: is_committed(lambda _: other.exists()), "the new domain")
        assert second in file.read_text(encoding="ascii")
        age_ledger(tmp_path)
        change(daemon, many_example={})
        wait_until(lambda: is_committed(lambda text: "v=STSv1" not in text), "the deletion")
        assert int(run("git", "-C", checkout, "rev-list", "--count", "HEAD")) >= 4


def test_git_without_daemon(tmp_path):
    """Nothing is published by a guess."""
    config = tmp_path / "mta-stsd.yaml"
    write_configuration(config, settings_of(tmp_path, one_example={}))
    run(SCRIPTS / "git.sh", config, "octodns", tmp_path / "mta-sts", status=3)
