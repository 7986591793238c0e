# SPDX-License-Identifier: MIT
"""A customer's own web server, nginx, terminates TLS and hands the policy on (RFC 8461 8.2)."""

import contextlib
import pathlib
import socket

import pytest

from client import POLICY_PATH
from network import CUSTOMER_PROXY
from processes import eventually, run, running
from provider import make_customer_zone, mta_stsd, publish
from senders import query

HOST = "mta-sts.proxied.example"
# By the policy host's name, which is the only one here that has a certificate for it.
TO_THE_PROVIDER = """
            proxy_pass https://policy.provider.example;
            proxy_ssl_server_name on;
            proxy_ssl_name policy.provider.example;
            proxy_ssl_verify on;
            proxy_ssl_verify_depth 2;
            proxy_ssl_trusted_certificate {ca};
"""
TO_A_SOCKET_BESIDE_IT = """
            proxy_pass http://mta_stsd;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
"""
NGINX_CONF = """\
daemon off;
master_process off;
user root;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream mta_stsd {{
        server {socket};
        keepalive 2;
    }}
    server {{
        listen {address}:443 ssl;
        server_name {host};
        ssl_certificate {chain};
        ssl_certificate_key {key};
        location / {{
            proxy_set_header Host $host;{upstream}        }}
    }}
}}
"""


@pytest.fixture(name="folder", scope="module")
def folder_with_certificate(pki, tmp_path_factory):
    """The customer's own certificate, which the provider does not have."""
    folder = tmp_path_factory.mktemp("nginx")
    pki.issue(folder, HOST)
    return folder


@pytest.fixture(name="published", scope="module", autouse=True)
def published_by_customer(daemon, knot):
    """The customer's zone: delegated as printed, but mta-sts is the customer's own web server."""
    printed = mta_stsd(daemon.config_path, "--print-dns", "--no-certificates", "--side=customer",
                       "--domain", "proxied.example")
    own = "".join(line for line in printed.splitlines(True) if not line.startswith(f"{HOST}."))
    assert len(own.splitlines()) == len(printed.splitlines()) - 1
    zone = make_customer_zone("proxied.example", own, f"mta-sts A {CUSTOMER_PROXY}")
    publish(knot, daemon.config_path, "--no-certificates", more_zones={"proxied.example": zone})


def accepts():
    socket.create_connection((CUSTOMER_PROXY, 443), 5).close()
    return True


@contextlib.contextmanager
def nginx(daemon, pki, folder, upstream):
    conf = NGINX_CONF.format(
        folder=folder, host=HOST, address=CUSTOMER_PROXY, chain=folder / "chain.pem",
        key=folder / "key.pem", socket=f"unix:{daemon.addresses[2]}",
        upstream=upstream.format(ca=pki.ca))
    (folder / "nginx.conf").write_text(conf, encoding="ascii")
    with running("nginx", "-e", "stderr", "-c", folder / "nginx.conf", log=folder / "nginx.log",
                 is_ready=accepts):
        yield


@pytest.mark.parametrize("upstream", [TO_THE_PROVIDER, TO_A_SOCKET_BESIDE_IT],
                         ids=["provider", "unix socket"])
def test_policy_comes_through(daemon, pki, folder, upstream):
    body = mta_stsd(daemon.config_path, "--print-policy", "proxied.example")
    id_ = mta_stsd(daemon.config_path, "--print-id", "proxied.example").strip()
    with nginx(daemon, pki, folder, upstream):
        answer = run("curl", "--fail", "--silent", "--show-error", "--include", "--http1.1",
                     f"https://{HOST}{POLICY_PATH}")
        result = query("proxied.example")
    head, _, seen = answer.partition("\r\n\r\n")
    assert seen == body
    assert f'etag: "{id_}"' in head.lower() and "content-type: text/plain" in head.lower()
    assert result[:2] == ("VALID", id_)


def connections_to(path):
    """The inodes of the accepted connections of a unix socket (state 3, proc_net_unix(5))."""
    lines = pathlib.Path("/proc/net/unix").read_text(encoding="utf-8").splitlines()
    fields = [line.split() for line in lines if line.endswith(f" {path}")]
    return {field[6] for field in fields if field[5] == "03"}


def test_connection_of_a_proxy_is_kept(daemon, pki, folder):
    path = daemon.addresses[2]
    fetch = ("curl", "--fail", "--silent", f"https://{HOST}{POLICY_PATH}")
    with nginx(daemon, pki, folder, TO_A_SOCKET_BESIDE_IT):
        policy = run(*fetch)
        first = connections_to(path)
        assert len(first) == 1
        for _ in range(20):
            assert run(*fetch) == policy
            assert connections_to(path) == first
    eventually(lambda: not connections_to(path), "the connection ends with the proxy")
