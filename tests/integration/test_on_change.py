# SPDX-License-Identifier: MIT
"""`on_change:`: the program gets what differs from what it has accepted, and again until it does."""

import time

import pytest

from client import fetch, policy_body, tls_context
from kept_documents import DocumentKeeper
from operated import HOST, Operated, configuration, wait_until


class Publisher(DocumentKeeper):
    def wait_for(self, count):
        return wait_until(lambda: len(seen := self.documents()) >= count and seen,
                          f"{count} documents")


@pytest.fixture(name="publisher")
def publisher_in_test(tmp_path):
    return Publisher(tmp_path / "publisher", "arguments:")


def settings_of(pki, folder, publisher, domains=None, **keys):
    return configuration(pki, folder, domains, **{
        "state": str(folder / "state"), "policy_host": {"name": "p.example"},
        "on_change": {"run": [str(publisher.path), "one", "two words"]}, **keys})


def summary(document):
    assert document["version"] == 1
    return sorted((change["action"], change["type"], change["name"])
                  for change in document["changes"])


ALL = [("add", "CNAME", "mta-sts.example.com"), ("add", "TXT", "_mta-sts.example.com")]
POLICY = {"mx": ["mx.example.com"]}
ENFORCED = {"example.com": {**POLICY, "mode": "enforce"}}


def test_documents(pki, tmp_path, publisher):
    """The id comes when senders can fetch its policy; a restart brings nothing again."""
    with Operated(tmp_path, settings_of(pki, tmp_path, publisher)) as daemon:
        wait_until(lambda: sorted(sum(map(summary, publisher.documents()), [])) == ALL, "records")
        daemon.log.wait_for("has accepted the records: ")
        daemon.log.wait_for("on_change: arguments: one two words$")
        n_documents = len(publisher.documents())
        done = daemon.change(settings_of(pki, tmp_path, publisher, ENFORCED))
        assert done.returncode == 0
        assert b"on_change publishes the new records; the log says when it has\n" in done.stdout
        assert b"--print-dns" not in done.stdout
        change, = publisher.wait_for(n_documents + 1)[-1]["changes"]
        assert (change["action"], change["name"]) == ("change", "_mta-sts.example.com")
        assert change["value"] == f"v=STSv1; id={change['id']};" != change["old_value"]
        assert daemon.ask("--print-id", "example.com").stdout.decode().strip() == change["id"]
        wait_until(lambda: daemon.metric('on_change_runs_total{result="accepted"}') ==
                   n_documents + 1, "the count")
        assert daemon.metric("on_change_last_run_successful") == 1
        assert daemon.ask("--reload").returncode == 0
    with Operated(tmp_path, settings_of(pki, tmp_path, publisher, ENFORCED)) as daemon:
        assert daemon.ask("--reload").returncode == 0
        time.sleep(0.5)
        assert len(publisher.documents()) == n_documents + 1


def test_until_it_is_accepted(pki, tmp_path, publisher):
    """A failure is told with its reason, and the next document has all that is missing."""
    publisher.end_with(3)
    with Operated(tmp_path, settings_of(pki, tmp_path, publisher)) as daemon:
        daemon.log.wait_for("ended with status 3: arguments: one two words; the records are not "
                            "published, and it is tried again in 10 seconds")
        wait_until(lambda: daemon.metric("on_change_last_run_successful") == 0, "the gauge")
        assert daemon.change(settings_of(pki, tmp_path, publisher, ENFORCED)).returncode == 0
        publisher.end_with(0)
        wait_until(lambda: daemon.metric("on_change_last_run_successful") == 1, "the gauge")
        wait_until(lambda: summary(publisher.documents()[-1]) == ALL, "all of it")


def test_program_that_is_not_there(pki, tmp_path, publisher):
    publisher.path.unlink()
    with Operated(tmp_path, settings_of(pki, tmp_path, publisher)) as daemon:
        daemon.log.wait_for("cannot be started: No such file or directory")
        assert fetch(daemon.address, HOST, tls_context(pki)).body == policy_body("mx.example.com")


def test_program_that_hangs(pki, tmp_path, publisher):
    """It and what it has started are ended; reloads and policies go on meanwhile."""
    publisher.path.write_text("#!/bin/sh\nsleep 1000 & sleep 1000\n", encoding="ascii")
    settings = settings_of(pki, tmp_path, publisher)
    settings["on_change"]["timeout"] = "1s"
    with Operated(tmp_path, settings) as daemon:
        wait_until(lambda: daemon.ask("--reload").returncode == 0, "a reload")
        daemon.log.wait_for("was ended after 1 second")


def test_program_that_reads_nothing_and_says_much(pki, tmp_path, publisher):
    publisher.path.write_text("#!/bin/sh\nexec 0<&-\nyes no | head -n 100000\n", encoding="ascii")
    with Operated(tmp_path, settings_of(pki, tmp_path, publisher)) as daemon:
        daemon.log.wait_for("more lines are not logged")
        daemon.log.wait_for("has accepted the records")
        assert len(daemon.log.find("on_change: no$")) == 20


def test_state_that_cannot_be_written(pki, tmp_path, publisher):
    """Nothing is run, and the policy is served."""
    (tmp_path / "state").write_text("a file", encoding="ascii")
    with Operated(tmp_path, settings_of(pki, tmp_path, publisher)) as daemon:
        daemon.log.wait_for("on_change: nothing is published, because")
        assert fetch(daemon.address, HOST, tls_context(pki)).status == 200
        assert not publisher.documents()


def test_list_that_is_damaged(pki, tmp_path, publisher):
    """Nothing is published by a guess; the message names the line."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "published").write_text("mta-stsd published 1\nrubbish\n")
    with Operated(tmp_path, settings_of(pki, tmp_path, publisher)) as daemon:
        daemon.log.wait_for("published': line 2 is damaged")
        assert not publisher.documents()


def test_end_while_it_runs(pki, tmp_path, publisher):
    """The daemon does not wait for it, and the next one publishes."""
    publisher.path.write_text(f"#!/bin/sh\ntouch {tmp_path}/begun\nsleep 1000\n")
    with Operated(tmp_path, settings_of(pki, tmp_path, publisher)):
        wait_until((tmp_path / "begun").exists, "the program")
    publisher.write()
    with Operated(tmp_path, settings_of(pki, tmp_path, publisher)):
        wait_until(lambda: sorted(sum(map(summary, publisher.documents()), [])) == ALL, "records")


def test_domain_that_leaves(pki, tmp_path, publisher):
    """Its records go when no sender holds its policy any more, without anybody asking."""
    both = {"example.com": POLICY, "other.example": {**POLICY, "max_age": "1s"}}
    settings = settings_of(pki, tmp_path, publisher, both, limits={"removed": "100%"})
    with Operated(tmp_path, settings) as daemon:
        wait_until(lambda: daemon.metric('on_change_runs_total{result="accepted"}') > 0, "a run")
        settings = settings_of(pki, tmp_path, publisher, limits={"removed": "100%"})
        assert daemon.change(settings).returncode == 0
        time.sleep(2)
        assert daemon.ask("--reload").returncode == 0
        wait_until(lambda: ("delete", "CNAME", "mta-sts.other.example") in
                   summary(publisher.documents()[-1]), "the deletion")
