# SPDX-License-Identifier: MIT
"""A policy as senders fetch it: whose it is, its bytes and headers, and what is refused."""

import subprocess

import pytest

from client import (POLICY_PATH, connect_tls, exchange, fetch, policy_body, policy_id, request,
                    tls_context)
from daemon import Daemon, configuration

BODIES = {
    "mta-sts.example.com": policy_body("mx.example.com"),
    "mta-sts.example.org": policy_body("mx1.example.org", "*.example.org", mode="enforce",
                                       max_age=1209600),
    "mta-sts.one.example": policy_body("mx.one.example", max_age=86400),
    "mta-sts.two.example": policy_body(mode="none", max_age=86400),
}
DOMAINS = {
    "example.com": {"mx": ["mx.example.com"]},
    "example.org": {"mx": ["mx1.example.org", "*.example.org"], "mode": "enforce", "max_age": "2w"},
    "one.example": {"mx": ["mx.one.example"], "max_age": "1d"},
    "two.example": {"mode": "none"},
}


@pytest.fixture(name="daemon", scope="module")
def serving_daemon(pki, tmp_path_factory):
    folder = tmp_path_factory.mktemp("daemon")
    chain, key = pki.issue(folder, "mta-sts.one.example", "mta-sts.two.example", "other.example")
    settings = configuration(pki, DOMAINS, policy_host={"name": "policy.provider.example"})
    settings["certificates"].append({"chain": str(chain), "key": str(key)})
    with Daemon(folder, settings) as daemon:
        yield daemon


@pytest.fixture(name="context", scope="module")
def client_context(pki):
    return tls_context(pki)


@pytest.mark.parametrize("host", BODIES)
def test_body_and_id(daemon, context, host):
    answer = fetch(daemon.address, host, context)
    assert (answer.status, answer.body) == (200, BODIES[host])
    assert answer.header("etag") == f'"{policy_id(BODIES[host])}"'


def test_all_headers(daemon, context):
    body = BODIES["mta-sts.example.com"]
    answer = fetch(daemon.address, "mta-sts.example.com", context)
    headers = dict(answer.headers)
    assert headers.pop("date").endswith(" GMT")
    assert len(answer.headers) == len(headers) + 1
    assert headers == {
        "connection": "close",
        "content-type": "text/plain; charset=utf-8",
        "content-length": str(len(body)),
        "cache-control": "max-age=60",
        "etag": f'"{policy_id(body)}"',
    }


@pytest.mark.parametrize("path, status", [(POLICY_PATH, 200), ("/", 404)])
def test_head_is_get_without_body(daemon, context, path, status):
    get, head = (fetch(daemon.address, "mta-sts.example.com", context, path=path, method=method)
                 for method in ("GET", "HEAD"))
    assert (head.status, head.body) == (status, b"")
    assert without_date(head) == without_date(get)


def without_date(answer):
    return [header for header in answer.headers if header[0] != "date"]


@pytest.mark.parametrize("header", [
    "Range: bytes=0-3",
    'If-None-Match: "{id}"',
    "If-None-Match: *",
    "If-Match: none",
    "If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT",
    "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
    "Accept-Encoding: gzip, deflate, br",
    "Accept: application/json",
    "Connection: keep-alive",
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
])
def test_header_is_ignored(daemon, context, header):
    body = BODIES["mta-sts.example.com"]
    answer = fetch(daemon.address, "mta-sts.example.com", context,
                   headers=[header.format(id=policy_id(body))])
    assert (answer.status, answer.body) == (200, body)
    assert answer.header("connection") == "close"
    assert answer.header("content-encoding") is None


@pytest.mark.parametrize("version, host", [
    ("1.1", "mta-sts.example.com"),
    ("1.1", "mta-sts.example.com:443"),
    ("1.1", "mta-sts.example.com:"),
    ("1.1", "mta-sts.example.com."),
    ("1.1", "mta-sts.example.com.:8443"),
    ("1.1", "MTA-STS.Example.COM"),
    ("1.1", ""),
    ("1.0", "mta-sts.example.com"),
    ("1.0", None),
])
def test_spellings_of_the_host(daemon, context, version, host):
    connection = connect_tls(daemon.address, "mta-sts.example.com", context)
    answer = exchange(connection, request(host, version=version))
    assert (answer.status, answer.body) == (200, BODIES["mta-sts.example.com"])


@pytest.mark.parametrize("host", [
    "mta-sts.example.com:65536", "mta-sts.example.com:x", "mta-sts..example.com", "mta-sts example",
    "user@mta-sts.example.com", "[::1]", "mta-sts.b\xfccher.example", "mta-sts.example.com/", "*",
    "a" * 64 + ".example", ".", "mta_sts.example.com"])
def test_bad_host(daemon, context, host):
    connection = connect_tls(daemon.address, "mta-sts.example.com", context)
    assert exchange(connection, request(host)).status == 400


@pytest.mark.parametrize("sni, host, status", [
    ("mta-sts.example.com", "mta-sts.example.org", 421),
    ("mta-sts.example.com", "mta-sts.unknown.example", 421),
    ("mta-sts.example.com", "policy.provider.example", 421),
    # The certificate covers both, and a third that is nobody's policy host.
    ("mta-sts.one.example", "mta-sts.two.example", 200),
    ("mta-sts.two.example", "mta-sts.one.example", 200),
    ("mta-sts.one.example", "other.example", 404),
    ("mta-sts.one.example", "mta-sts.example.com", 421),
    # A customer's reverse proxy comes by the policy host's name (RFC 8461 8.2).
    ("policy.provider.example", "mta-sts.example.com", 200),
    ("policy.provider.example", "MTA-STS.example.org:443", 200),
    ("policy.provider.example", "mta-sts.unknown.example", 404),
    ("policy.provider.example", "policy.provider.example", 404),
])
def test_host_beside_the_sni(daemon, context, sni, host, status):
    answer = exchange(connect_tls(daemon.address, sni, context), request(host))
    assert answer.status == status
    if status == 200:
        assert answer.body == BODIES[host.lower().split(":")[0]]


@pytest.mark.parametrize("path", [
    POLICY_PATH + "?", POLICY_PATH + "?a=b", POLICY_PATH + "?/../", POLICY_PATH + "??"])
def test_query_is_ignored(daemon, context, path):
    answer = fetch(daemon.address, "mta-sts.example.com", context, path=path)
    assert (answer.status, answer.body) == (200, BODIES["mta-sts.example.com"])


@pytest.mark.parametrize("path", [
    "/", "/.well-known/", "/.well-known/mta-sts", "/mta-sts.txt", "/.well-known/mta-sts.txt/",
    "//.well-known/mta-sts.txt", "/.well-known//mta-sts.txt", "/.well-known/./mta-sts.txt",
    "/x/../.well-known/mta-sts.txt", "/%2ewell-known/mta-sts.txt", "/.well-known/mta-sts%2Etxt",
    "/.well-known/mta-sts.txt%00", "/.well-known/mta-sts.txt;a", "/.well-known/mta-sts.txt#a",
    "/.WELL-KNOWN/mta-sts.txt", "/?" + POLICY_PATH, "/" + "a" * 8000],
    ids=lambda path: path[:32])
def test_other_paths(daemon, context, path):
    answer = fetch(daemon.address, "mta-sts.example.com", context, path=path)
    assert (answer.status, answer.body) == (404, b"nothing is served here\n")
    assert answer.header("content-type") == "text/plain; charset=utf-8"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get"])
def test_other_methods(daemon, context, method):
    answer = fetch(daemon.address, "mta-sts.example.com", context, method=method,
                   headers=["Content-Length: 0"])
    assert (answer.status, answer.header("allow")) == (405, "GET, HEAD")


def test_posted_body_is_not_taken_for_a_request(daemon, context):
    body = request("mta-sts.example.com")
    connection = connect_tls(daemon.address, "mta-sts.example.com", context)
    answer = exchange(connection, request("mta-sts.example.com", method="POST",
                                          headers=[f"Content-Length: {len(body)}"]) + body)
    assert answer.status == 405
    assert b"HTTP/1.1" not in answer.body


def test_one_request_a_connection(daemon, context):
    connection = connect_tls(daemon.address, "mta-sts.example.com", context)
    answer = exchange(connection, request("mta-sts.example.com") * 2)
    assert (answer.status, answer.body) == (200, BODIES["mta-sts.example.com"])


@pytest.mark.parametrize("options", [
    [], ["--tlsv1.3"], ["--tls-max", "1.2"], ["--no-alpn"], ["--http1.0"], ["--http2"],
    ["--compressed"], ["-H", "Host:", "--http1.0"]], ids=" ".join)
def test_curl(daemon, pki, options):
    host, port = daemon.address
    process = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "30", "--noproxy", "*", "--cacert",
         pki.ca, "--connect-to", f"::{host}:{port}", "--write-out",
         "%{stderr}%{http_version} %{response_code} %{content_type}", *options,
         "https://mta-sts.example.org" + POLICY_PATH], capture_output=True, check=False, timeout=60)
    assert (process.returncode, process.stderr) == (0, b"1.1 200 text/plain; charset=utf-8")
    assert process.stdout == BODIES["mta-sts.example.org"]
