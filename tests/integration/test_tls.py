# SPDX-License-Identifier: MIT
"""Handshakes: versions, names, ALPN, resumption, and how a refusal looks to the peer."""

import ssl
import subprocess
import warnings

import pytest

from client import (connect, connect_tls, exchange, fetch, policy_body, read_all, request,
                    tls_context)
from daemon import Daemon, configuration

HOST = "mta-sts.example.com"
RSA_HOST = "mta-sts.rsa.example"
BODY = policy_body("mx.example.com")
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
HANDSHAKE_RECORD = b"\x16"


@pytest.fixture(name="daemon", scope="module")
def serving_daemon(pki, tmp_path_factory):
    domains = {"example.com": {"mx": ["mx.example.com"]}, "rsa.example": {"mx": ["mx.rsa.example"]},
               "no-policy.example": {"mta_sts": False, "tls_rpt": ["mailto:tlsrpt@example.com"]},
               "without-certificate.example": {"mx": ["mx.example.com"]}}
    folder = tmp_path_factory.mktemp("daemon")
    chain, key = pki.issue(folder, RSA_HOST, kind="rsa")
    settings = configuration(pki, domains, policy_host={"name": "policy.provider.example"})
    settings["certificates"].append({"chain": str(chain), "key": str(key)})
    with Daemon(folder, settings) as daemon:
        yield daemon


def s_client(daemon, *options, stdin=b""):
    """What openssl s_client says of a connection that sends `stdin` and reads to the end."""
    host, port = daemon.address
    process = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", *options],
                             input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             timeout=60, check=False)
    return process.stdout.decode("latin-1")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("host", [HOST, RSA_HOST])
def test_versions(daemon, pki, version, host):
    connection = connect_tls(daemon.address, host, tls_context(pki, version))
    assert connection.version() == version.name.replace("_", ".")
    assert exchange(connection, request(host)).status == 200


def answer_to_hello(daemon, context, name):
    """The type of the first record that comes back for a client's hello; empty: none comes."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    handshake = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        handshake.do_handshake()
    with connect(daemon.address) as connection:
        connection.sendall(outgoing.read())
        return connection.recv(1)


def curl(daemon, host, *options):
    process = subprocess.run(["curl", "-sS", "--connect-to", "::%s:%s" % daemon.address, *options,
                              f"https://{host}/.well-known/mta-sts.txt"],
                             capture_output=True, timeout=60, check=False)
    assert process.returncode == 35
    return process.stderr.decode()


@pytest.mark.parametrize("options", [
    ["-servername", "mta-sts.unknown.example"], ["-noservername"],
    ["-noservername", "-tls1_2"], ["-servername", "mta-sts.without-certificate.example"]])
def test_alert_for_a_name(daemon, options):
    assert "SSL alert number 112" in s_client(daemon, *options)


def test_alert_for_a_version(daemon):
    for version in ("-tls1", "-tls1_1"):
        assert "SSL alert number 70" in s_client(daemon, "-servername", HOST, version,
                                                 "-cipher", "ALL:@SECLEVEL=0")


def test_alerts_in_curl(daemon):
    assert "unrecognized name" in curl(daemon, "mta-sts.unknown.example")
    assert "alert protocol version" in curl(daemon, HOST, "--tls-max", "1.1", "--ciphers",
                                            "ALL:@SECLEVEL=0", "--tlsv1.0")


def test_tls_1_1_is_refused(daemon):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = tls_context(version=ssl.TLSVersion.TLSv1_1)
    context.set_ciphers("ALL:@SECLEVEL=0")
    assert answer_to_hello(daemon, context, HOST) != HANDSHAKE_RECORD


@pytest.mark.parametrize("host, suite, wanted", [
    (HOST, "ECDHE-ECDSA-AES128-GCM-SHA256", True),
    (HOST, "ECDHE-ECDSA-CHACHA20-POLY1305", True),
    (HOST, "ECDHE-ECDSA-AES256-CCM", False),
    (HOST, "ECDHE-ECDSA-AES128-SHA", False),
    (RSA_HOST, "ECDHE-RSA-AES256-GCM-SHA384", True),
    (RSA_HOST, "ECDHE-RSA-AES256-SHA384", False),
    (RSA_HOST, "DHE-RSA-AES128-GCM-SHA256", False),
    (RSA_HOST, "AES128-GCM-SHA256", False),
])
def test_suites_of_tls_1_2(daemon, host, suite, wanted):
    context = tls_context(version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(suite)
    assert (answer_to_hello(daemon, context, host) == HANDSHAKE_RECORD) == wanted


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("offered, chosen", [
    (None, None), (["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"), (["h2"], None),
    (["http/1.0"], None)])
def test_alpn(daemon, pki, version, offered, chosen):
    connection = connect_tls(daemon.address, HOST, tls_context(pki, version, offered))
    assert connection.selected_alpn_protocol() == chosen
    assert exchange(connection, request(HOST)).body == BODY


@pytest.mark.parametrize("offered", [None, ["h2"]])
def test_http_2_is_refused(daemon, pki, offered):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
    answer = exchange(connect_tls(daemon.address, HOST, tls_context(pki, alpn=offered)), preface)
    assert answer.status == 400


@pytest.mark.parametrize("name", ["MTA-STS.Example.COM", "mta-sts.example.com."])
def test_spellings_of_the_sni(daemon, pki, name):
    output = s_client(daemon, "-servername", name, "-CAfile", str(pki.ca), "-verify_return_error",
                      "-quiet", stdin=request(None, version="1.0"))
    assert output.endswith(BODY.decode())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [
    None, "mta-sts.unknown.example", "example.com", "mta-sts.no-policy.example", "mx.example.com",
    "mta-sts.without-certificate.example", "a.mta-sts.example.com", "mta-sts.", "*.example.com"])
def test_unknown_name_sees_no_certificate(daemon, version, name):
    assert answer_to_hello(daemon, tls_context(version=version), name) != HANDSHAKE_RECORD


def test_bytes_that_are_no_tls(daemon, pki):
    for sent in (request(HOST), b"\0" * 100, b"\x16\x03\x01\xff\xff" + b"\xff" * 1000):
        with connect(daemon.address) as connection:
            connection.sendall(sent)
            assert not read_all(connection).startswith(HANDSHAKE_RECORD)
    assert fetch(daemon.address, HOST, tls_context(pki)).status == 200


def fetch_in_session(daemon, *options):
    output = s_client(daemon, "-servername", HOST, "-ign_eof", *options,
                      stdin=request(None, version="1.0"))
    assert "HTTP/1.1 200 OK" in output
    return output


@pytest.mark.parametrize("version", ["1_2", "1_3"])
def test_no_session_is_given(daemon, tmp_path, version):
    """Nor taken: see test_no_resumption of the unit tests."""
    session = tmp_path / "session.pem"
    output = fetch_in_session(daemon, f"-tls{version}", "-sess_out", session)
    assert f"\nNew, TLSv{version.replace('_', '.')}" in output
    assert not session.exists()


def test_renegotiation_ends_the_connection(daemon):
    output = s_client(daemon, "-tls1_2", "-servername", HOST, stdin=b"R\n")
    assert "SSL routines" in output.split("RENEGOTIATING")[1]
