# SPDX-License-Identifier: MIT
"""Challenges of a CA: what lies below state:, by the challenges' listener and by the others."""

import os
import stat

import pytest

import client
from client import exchange, fetch, request, tls_context
from operated import configuration, operate_in_test  # noqa: F401

PATH = "/.well-known/acme-challenge/"
TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"
ANSWER = f"{TOKEN}.nP1qzpXGymHBrUEepNY9HCsQk7K8KhOypzEt62jcerQ"
HOST = "mta-sts.example.com"


def settings(pki, folder, **acme):
    """A TLS listener, a plain one and one for challenges; nothing is ordered by this daemon."""
    (folder / "state/challenges").mkdir(parents=True, exist_ok=True)
    return configuration(
        pki, folder, state=str(folder / "state"), policy_host={"name": "policy.provider.example"},
        acme={"agree_to_terms": "true", "orders": "false", **acme},
        listen=[{"address": "127.0.0.1:0"}, {"address": "127.0.0.3:0", "tls": "false"},
                {"address": "127.0.0.2:0", "serve": "challenges"}])


def ask(address, path, host="anything", **options):
    return exchange(client.connect(address), request(host, path, **options))


@pytest.fixture(name="challenges")
def challenges_folder(tmp_path):
    folder = tmp_path / "state/challenges"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(name="daemon")
def daemon_with_challenges(pki, operate, tmp_path):
    daemon = operate(settings(pki, tmp_path))
    daemon.challenges = daemon.addresses[2]
    return daemon


def test_answers(daemon, challenges):
    """Whatever the host, while the file is there, and on each listener."""
    assert ask(daemon.challenges, PATH + TOKEN).status == 404
    (challenges / TOKEN).write_text(ANSWER)
    answers = [ask(daemon.challenges, PATH + TOKEN, host=host)
               for host in (HOST, "192.0.2.1", "[::1]:80", "a b", "", None)]
    assert [answer.status for answer in answers[:-1]] == [200] * 5
    assert answers[-1].status == 400  # HTTP/1.1 without Host
    answers[-1:] = [ask(daemon.challenges, PATH + TOKEN, version="1.0"),
                    ask(daemon.challenges, PATH + TOKEN + "?a=b"),
                    ask(daemon.addresses[1], PATH + TOKEN, host=HOST),
                    fetch(daemon.addresses[0], HOST, tls_context(), path=PATH + TOKEN)]
    for answer in answers:
        assert (answer.status, answer.body) == (200, ANSWER.encode())
        assert answer.header("content-type") == "application/octet-stream"
    (challenges / TOKEN).unlink()
    assert ask(daemon.challenges, PATH + TOKEN).status == 404


def test_methods(daemon, challenges):
    (challenges / TOKEN).write_text(ANSWER)
    head = ask(daemon.challenges, PATH + TOKEN, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.header("content-length") == str(len(ANSWER))
    for method in ("PUT", "DELETE", "OPTIONS", "POST"):
        for address in daemon.addresses[1:3]:
            refused = ask(address, PATH + TOKEN, host=HOST, method=method,
                          headers=["Content-Length: 0"])
            assert (refused.status, refused.header("allow")) == (405, "GET, HEAD")
    assert (challenges / TOKEN).read_text() == ANSWER


def test_nothing_else_there(daemon):
    """No policy, no health: plain HTTP is not where a policy is."""
    for path in ("/", "/.well-known/mta-sts.txt", "/metrics", "/healthz", PATH, PATH.rstrip("/")):
        assert ask(daemon.challenges, path, host=HOST).status == 404


def fill(challenges):
    """Whatever can lie in the folder and is no challenge; what is outside must stay there."""
    outside = challenges.parent / "outside"
    outside.write_text("secret")
    (challenges / "link").symlink_to(outside)
    (challenges / "absolute").symlink_to("/etc/passwd")
    (challenges / "folder").mkdir()
    (challenges / "folder/file").write_text("secret")
    (challenges / "folder-link").symlink_to(challenges.parent)
    (challenges / f"{TOKEN}.Xa3f9k").write_text("secret")  # half written
    (challenges / ".hidden").write_text("secret")
    (challenges / "empty").write_text("")
    (challenges / "long").write_text("x" * 1025)
    (challenges / ("n" * 129)).write_text("secret")
    os.mkfifo(challenges / "fifo")
    os.mknod(challenges / "socket", stat.S_IFSOCK | 0o600)
    (challenges / "unreadable").write_text("secret")
    (challenges / "unreadable").chmod(0)


ATTACKS = ["link", "absolute", "folder", "folder/", "folder/file", "folder-link/outside", ".", "..",
           "../outside", "..%2foutside", "%2e%2e/outside", "..\\outside", "../../../../etc/passwd",
           "/etc/passwd", f"{TOKEN}.Xa3f9k", ".hidden", "empty", "long", "n" * 129, "fifo", "socket",
           "x" * 4000, "a%00b", "a\x01", "*", "~", "a:b", "link/", "//link", "é"]


def test_attacks(daemon, challenges):
    fill(challenges)
    for token in ATTACKS:
        for address in daemon.addresses[1:3]:
            answer = ask(address, PATH + token, host=HOST)
            assert answer.status in (400, 404), token
            assert b"secret" not in answer.body and b"root:" not in answer.body
            assert answer.header("location") is None
    assert fetch(daemon.address, HOST, tls_context()).status == 200


def test_no_folder(daemon, challenges):
    challenges.rmdir()
    assert ask(daemon.challenges, PATH + TOKEN).status == 404
    challenges.symlink_to("/")
    assert ask(daemon.challenges, PATH + TOKEN).status == 404


def test_elsewhere(pki, operate, tmp_path, challenges):
    """A replica that does not order sends the CA on, also where a file lies here."""
    (challenges / TOKEN).write_text(ANSWER)
    daemon = operate(settings(pki, tmp_path, challenges_at="http://orders.provider.example"))
    for address in daemon.addresses[1:3]:
        answer = ask(address, PATH + TOKEN, host=HOST)
        assert answer.status == 302
        assert answer.header("location") == f"http://orders.provider.example{PATH}{TOKEN}"
        for token in ATTACKS:
            answer = ask(address, PATH + token, host=HOST)
            if answer.status == 302:
                assert answer.header("location").rsplit("/", 1)[1] in ATTACKS
            else:
                assert answer.status in (400, 404)
    assert fetch(daemon.address, HOST, tls_context()).status == 200


def test_without_acme(pki, operate, tmp_path, challenges):
    """The listener stays closed, and the path is as any other."""
    (challenges / TOKEN).write_text(ANSWER)
    without = settings(pki, tmp_path)
    del without["acme"]
    daemon = operate(without)
    assert not daemon.log.find(r"\(challenges\)")
    said = daemon.ask("--test-config").stdout.decode()
    assert "listen[2].serve: without acme: there are no challenges to serve" in said
    for method in ("GET", "POST"):
        answer = ask(daemon.addresses[1], PATH + TOKEN, host=HOST, method=method,
                     headers=["Content-Length: 0"])
        assert answer.status == 404


def test_access_log(pki, operate, tmp_path, challenges):
    """Who looks for why an order fails sees whether the CA has come."""
    (challenges / TOKEN).write_text(ANSWER)
    daemon = operate({**settings(pki, tmp_path), "log": {"access": "text"}})
    ask(daemon.addresses[2], PATH + TOKEN, host=HOST)
    assert f"{PATH}{TOKEN}" in daemon.access.wait_for("acme-challenge")
