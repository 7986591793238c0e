# SPDX-License-Identifier: MIT
"""Who fetched a domain's policy: counted by the daemon, taken over and said by mta-stsd-reports."""

import json

from client import fetch, tls_context
from operated import Operated, configuration, wait_until

GOOGLE = ["User-Agent: Google-SMTP-STS"]


def fetchers(daemon, domain="example.com"):
    printed = daemon.ask("--reports", "--json", domain)
    assert (printed.returncode, printed.stderr) == (0, b"")
    return {each["sender"]: each for each in json.loads(printed.stdout)[0]["fetchers"]}


def test_from_fetch_to_report(pki, tmp_path):
    """Over two runs of the daemon, the access log is off; refusals and other paths do not count."""
    state = tmp_path / "state"
    state.mkdir()
    settings = configuration(pki, tmp_path, {
        "example.com": {"mx": ["mx.example.com"]}, "example.net": {"mx": ["mx.example.net"]}},
        state=str(state))
    pki.make("mta-sts.example.net")
    context = tls_context(pki)
    for n_run in (1, 2):
        with Operated(tmp_path, settings) as daemon:
            if n_run == 2:  # what the first run has left is taken at once
                wait_until(lambda: fetchers(daemon), "the fetches of the first run")
                assert fetchers(daemon)["google"]["fetches"] == 2
            for _ in range(2):
                assert fetch(daemon.address, "mta-sts.example.com", context,
                             headers=GOOGLE).status == 200
            assert fetch(daemon.address, "mta-sts.example.com", context, path="/x",
                         headers=GOOGLE).status == 404
            assert fetch(daemon.address, "mta-sts.example.com", context).status == 200
        lines = (state / "fetches").read_text(encoding="ascii").splitlines()[1:]
        assert [line.split()[:3] for line in lines] == [
            ["example.com", "google", "2"], ["example.com", "none", "1"]]
    with Operated(tmp_path, settings) as daemon:
        wait_until(lambda: fetchers(daemon)["google"]["fetches"] == 4, "those of the second run")
        wait_until(lambda: not (state / "fetches").exists(), "the end of the file")
        google = fetchers(daemon)["google"]
        assert (google["has_current"], google["prefix"]) == (True, "127.0.0.0/24")
        assert fetchers(daemon, "example.net") == {}
        text = daemon.ask("--reports", "example.com").stdout.decode()
        assert "  Who fetched the policy, by User-Agent:\n" in text
        assert ("  - Google: last just now, the policy served now, from 127.0.0.0/24; 4 times "
                "since ") in text
