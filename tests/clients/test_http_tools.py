# SPDX-License-Identifier: MIT
"""curl and openssl, with port, addresses and trust as they find them."""

import pytest

from client import POLICY_PATH, request
from processes import run
from provider import POLICIES, body_of

FAMILIES = ["-4", "-6"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("domain", POLICIES)
def test_curl(daemon, family, domain):
    del daemon
    assert run("curl", "--fail", "--silent", "--show-error", family,
               f"https://mta-sts.{domain}{POLICY_PATH}") == body_of(domain).decode()


@pytest.mark.parametrize("host, domain", [
    ("mta-sts.bücher.example", "xn--bcher-kva.example"),
    ("MTA-STS.日本語.example", "xn--wgv71a119e.example"),
    ("mta-sts.Delegated.EXAMPLE", "delegated.example"),
])
def test_curl_with_a_name_as_people_write_it(daemon, monkeypatch, host, domain):
    del daemon
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert run("curl", "--fail", "--silent", "--show-error", f"https://{host}{POLICY_PATH}"
               ) == body_of(domain).decode()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_with_one_version_of_tls(daemon, family, version):
    del daemon
    assert run("curl", "--fail", "--silent", "--show-error", family, f"--tlsv{version}",
               "--tls-max", version, f"https://mta-sts.delegated.example{POLICY_PATH}"
               ) == body_of("delegated.example").decode()


@pytest.mark.parametrize("family", FAMILIES)
def test_curl_is_refused_for_a_name_without_certificate(daemon, family):
    """35: no TLS, rather than somebody else's certificate."""
    del daemon
    run("curl", "--silent", family, f"https://mta-sts.proxied.example{POLICY_PATH}", status=35)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl(daemon, family, version):
    del daemon
    host = "mta-sts.xn--bcher-kva.example"
    printed = run("openssl", "s_client", family, version, "-connect", f"{host}:443", "-quiet",
                  "-verify_quiet", "-verify_return_error", "-verify_hostname", host,
                  stdin=request(host).decode())
    head, _, body = printed.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 ")
    assert body == body_of("xn--bcher-kva.example").decode()
