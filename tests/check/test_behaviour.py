# SPDX-License-Identifier: MIT
"""How policy hosts are asked beside the ordinary fetch: in which ways, and how often where many
domains have one server."""

import itertools
import json
import os
import re

import pytest

from authority import Internet, Zone
from certificates import Certificates
from conftest import check, enter_network
from network import SCRIPTED
from scenarios import GOOD_POLICY, TXT
from web import Scripted, response

COUNT = 24
HOSTS_AT_ADDRESS = 16  # src/check/host_visits.h
ORDINARY = b"User-Agent: mta-stsd-check\r\n"


def names_of(kind):
    return [f"d{i}.{kind}.example" for i in range(COUNT)]


def answer(connection, _):
    """Refuses Google, and serves the policy for any host."""
    if b"User-Agent: Google-SMTP-STS\r\n" in connection.request:
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    else:
        connection.sendall(response(GOOD_POLICY, 'ETag: "1-a"',
                                    "Last-Modified: Sun, 29 Nov 2026 08:00:00 GMT"))


answer.answers_any_host = True


def refusing_after(n_requests, status):
    """A server that shuts out who asks too often."""
    n_seen = itertools.count()

    def script(connection, _):
        if next(n_seen) < n_requests:
            connection.sendall(response(GOOD_POLICY))
        else:
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
    return script


LIMITED = {"first.limited.example": refusing_after(1, "403 Forbidden"),
           "some.limited.example": refusing_after(6, "403 Forbidden"),
           "many.limited.example": refusing_after(7, "429 Too Many Requests")}


@pytest.fixture(name="asked", scope="module")
def a_scripted_host(tmp_path_factory):
    enter_network()
    folder = tmp_path_factory.mktemp("behaviour")
    (folder / "dns").mkdir()
    certificates = Certificates(folder / "pki")
    os.environ["SSL_CERT_FILE"] = str(certificates.pki.ca)
    hosts = {"shared": "mta-sts.{} CNAME policy", "own": f"mta-sts.{{}} A {SCRIPTED}",
             "limited": f"mta-sts.{{}} A {SCRIPTED}"}
    scripts = {domain: answer for kind in ("shared", "own") for domain in names_of(kind)} | LIMITED
    lines = {kind: [f"policy A {SCRIPTED}"] for kind in hosts}
    for domain in scripts:
        label, kind, _ = domain.split(".")
        lines[kind] += [f"_mta-sts.{label} TXT {TXT}", f"{label} MX 10 mx1.provider.example.",
                        hosts[kind].format(label)]
    zones = {f"{kind}.example": Zone(*each) for kind, each in lines.items()}
    server = Scripted(scripts, certificates.make)
    with Internet(folder / "dns").serving(zones) as internet, server.serving():
        internet.server = server
        yield internet


def ask(internet, *domains):
    """Returns {domain: {code: text}} and the requests that came."""
    internet.server.requests.clear()
    done = check(internet, "--json", "--no-smtp", *domains)
    return {each["domain"]: {finding["code"]: finding["text"] for finding in each["findings"]}
            for each in json.loads(done.stdout)["domains"]}, [*internet.server.requests]


def has(request, text):
    return re.search(text, request, re.MULTILINE) is not None


def test_the_ways_in_which_a_host_is_asked(asked):
    found, requests = ask(asked, "d0.shared.example")
    assert {name for name, _ in requests} == {"mta-sts.d0.shared.example"}
    plain, others = [], []
    for _, request in requests:
        (plain if ORDINARY in request and b"HTTP/1.1" in request and request.count(b"\r\n") == 5 and
         b"mta-sts.d0.shared.example" in request else others).append(request)
    assert len(plain) == 6  # the fetch; the first of the visit, TLS 1.2, no ALPN, h2; after Google's
    ways = [rb"^Host: mta-sts\.[a-z2-7]{10}\.invalid\r$", rb"^GET \S+ HTTP/1\.0\r$",
            rb"^Range: bytes=0-65535\r$", rb"^User-Agent: postfix-mta-sts-resolver\r$",
            rb"^User-Agent: Go-http-client/1\.1\r$", rb"^User-Agent: Google-SMTP-STS\r$",
            rb"^User-Agent: libwww-perl/6\.68\r$"]
    for way in ways:
        assert sum(has(request, way) for request in others) == 1, way
    assert sum(not has(request, rb"^User-Agent:") for request in others) == 1
    changed, = [request for request in others if b"If-" in request]
    assert b'\r\nIf-None-Match: "1-a"\r\n' in changed
    assert b"\r\nIf-Modified-Since: Sun, 29 Nov 2026 08:00:00 GMT\r\n" in changed
    assert len(others) == len(ways) + 2
    assert found["d0.shared.example"]["http-user-agent"] == \
        "no policy for the User-Agent 'Google-SMTP-STS': status 403"
    assert "host-any-policy" in found["d0.shared.example"]


def test_a_shared_host_is_asked_once(asked):
    found, requests = ask(asked, *names_of("shared"))
    assert sum(ORDINARY not in request for _, request in requests) == 5
    texts = [codes["http-user-agent"] for codes in found.values()]
    assert len(texts) == COUNT
    others = [text for text in texts if "(tried with mta-sts.d" in text]
    assert len(others) == COUNT - 1
    assert len({*others}) == 1


def test_of_many_hosts_at_an_address_some_are_asked(asked):
    found, requests = ask(asked, *names_of("own"))
    assert sum(has(request, rb"^User-Agent: Google") for _, request in requests) == HOSTS_AT_ADDRESS
    # What is the server's, whichever host is asked for, is told of all of them.
    assert sum("host-any-policy" in codes for codes in found.values()) == COUNT
    assert sum("http-user-agent" in codes for codes in found.values()) == HOSTS_AT_ADDRESS


def test_a_server_that_shuts_out_is_not_blamed_for_the_way_of_asking(asked):
    for domain in LIMITED:
        found, requests = ask(asked, domain)
        assert {*found[domain]} == {"tls-rpt-missing"}
        assert len(requests) < 12
