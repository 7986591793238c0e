# SPDX-License-Identifier: MIT
"""mta-stsd-acme-hook, as uacme runs it: METHOD TYPE IDENT TOKEN AUTH."""

import pathlib
import subprocess

import pytest

from daemon import PROGRAM, SANITIZER

HOOK = pathlib.Path(PROGRAM).with_name("mta-stsd-acme-hook")
HOST = "mta-sts.example.com"
TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"
AUTH = f"{TOKEN}.nP1qzpXGymHBrUEepNY9HCsQk7K8KhOypzEt62jcerQ"


def run(*arguments, folder):
    environment = {} if folder is None else {"MTA_STSD_CHALLENGES": str(folder)}
    done = subprocess.run([HOOK, *arguments], env=environment, capture_output=True, text=True,
                          timeout=60, check=False)
    assert not SANITIZER.search(done.stderr) and done.stdout == ""
    return done.returncode, done.stderr.removeprefix("mta-stsd-acme-hook: ").rstrip("\n")


def call(method, folder, kind="http-01", token=TOKEN, auth=AUTH):
    return run(method, kind, HOST, token, auth, folder=folder)


@pytest.mark.parametrize("end", ["done", "failed"])
def test_life_of_a_challenge(tmp_path, end):
    assert call("begin", tmp_path) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == [TOKEN]
    assert (tmp_path / TOKEN).read_text() == AUTH
    assert (tmp_path / TOKEN).stat().st_mode & 0o777 == 0o600
    assert call(end, tmp_path) == (0, "")
    assert not list(tmp_path.iterdir())
    assert call(end, tmp_path) == (0, "")  # after a restart that has cleared the directory


@pytest.mark.parametrize("kind", ["dns-01", "tls-alpn-01", "", "http-01 "])
@pytest.mark.parametrize("method", ["begin", "done", "failed"])
def test_other_challenges_are_declined(tmp_path, kind, method):
    """In silence: uacme asks for each type that the CA offers."""
    (tmp_path / TOKEN).write_text("stays")
    assert call(method, tmp_path, kind=kind) == (1, "")
    assert (tmp_path / TOKEN).read_text() == "stays"


@pytest.mark.parametrize("token", ["", ".", "..", "../x", "a/b", "/etc/passwd", "a.b", "a b", "é",
                                   "x" * 129])
def test_bad_token(tmp_path, token):
    folder = tmp_path / "challenges"
    folder.mkdir()
    (tmp_path / "x").write_text("stays")
    for method in ("begin", "done", "failed"):
        status, said = call(method, folder, token=token, auth=f"{token}.abc")
        assert status == 1 and said.endswith(" is no token of a challenge")
    assert not list(folder.iterdir()) and (tmp_path / "x").read_text() == "stays"


@pytest.mark.parametrize("auth", ["", TOKEN, f"{TOKEN}.", f"{TOKEN}.a\n", f"x{AUTH}",
                                  f"{TOKEN}.{'x' * 1024}"])
def test_bad_authorization(tmp_path, auth):
    status, said = call("begin", tmp_path, auth=auth)
    assert status == 1 and said.endswith(" is no key authorization of the token")
    assert not list(tmp_path.iterdir())


def test_bad_method(tmp_path):
    assert call("Begin", tmp_path) == (1, "'Begin' is none of begin, done, failed")


def test_directory(tmp_path):
    for folder in (None, "", "challenges"):
        status, said = call("begin", folder)
        assert status == 1 and said == ("expected the absolute path of the directory of the "
                                        "challenges in the environment variable MTA_STSD_CHALLENGES")
    missing = tmp_path / "missing"
    status, said = call("begin", missing)
    assert status == 1 and said.startswith(f"'{missing}/{TOKEN}.")
    assert said.endswith("cannot be made: No such file or directory")


@pytest.mark.parametrize("count", [0, 4, 6])
def test_usage(tmp_path, count):
    status, said = run(*["begin", "http-01", HOST, TOKEN, AUTH, "more"][:count], folder=tmp_path)
    assert status == 1 and said.startswith("uacme runs this program as its hook")
