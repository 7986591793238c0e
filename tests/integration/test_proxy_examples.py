# SPDX-License-Identifier: MIT
"""config/proxy/: each file in front of a daemon, with nothing but ports and paths replaced."""

import contextlib
import json
import os
import socket
import subprocess
import time

import pytest

from client import connect, exchange, policy_body, request, tls_context
from daemon import PATIENCE_S, ROOT
from operated import HOST, configuration, operate_in_test  # noqa: F401

BODY = policy_body("mx.example.com")
NGINX = """\
{modules}daemon off; master_process off; user root; pid {folder}/pid; error_log stderr;
events {{}}
{context} {{
    {temporary}include {conf};
}}
"""
TEMPORARY = "".join(f"{kind}_temp_path {{folder}}/{kind}; " for kind in
                    ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")) + "access_log off;\n    "


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def example(name, replacements):
    """The file with each text replaced, all of which must be there."""
    text = (ROOT / "config/proxy" / name).read_text(encoding="utf-8")
    for old, new in replacements.items():
        assert old in text, old
        text = text.replace(old, str(new))
    return text


@contextlib.contextmanager
def running(port, *command, **environment):
    with subprocess.Popen([str(word) for word in command], env={**os.environ, **environment}) as it:
        try:
            end = time.monotonic() + PATIENCE_S
            while True:
                with contextlib.suppress(OSError):
                    connect(("127.0.0.1", port)).close()
                    break
                assert it.poll() is None and time.monotonic() < end, f"{command[0]} does not listen"
                time.sleep(0.05)
            yield
        finally:
            it.terminate()


def fetch(port, pki):
    """Returns the body, and who the daemon should have seen."""
    connection = connect(("127.0.0.1", port))
    peer = "%s:%d" % connection.getsockname()
    with tls_context(pki).wrap_socket(connection, server_hostname=HOST) as tls:
        return exchange(tls, request(HOST, headers=["Connection: close"])).body, peer


@contextlib.contextmanager
def nginx(folder, context, text, port):
    (folder / "it.conf").write_text(text, encoding="utf-8")
    is_stream = context == "stream"
    module = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n" if is_stream else ""
    (folder / "nginx.conf").write_text(NGINX.format(
        modules=module, folder=folder, context=context, conf=folder / "it.conf",
        temporary="" if is_stream else TEMPORARY.format(folder=folder)), encoding="utf-8")
    with running(port, "nginx", "-e", "stderr", "-c", folder / "nginx.conf"):
        yield


@pytest.fixture(name="plain")
def behind_one_that_ends_tls(operate, pki, tmp_path):
    """The daemon's unix socket; the certificate of HOST lies where pki has put it."""
    path = tmp_path / "http.sock"
    operate(configuration(pki, tmp_path, certificates=[],
                          listen=[{"address": f"unix:{path}", "tls": False}]))
    return path


@pytest.fixture(name="passed")
def behind_one_that_passes_tls(operate, pki, tmp_path):
    return operate(configuration(pki, tmp_path, log={"access": "json"}, listen=[
        {"address": "127.0.0.1:0", "proxy_protocol": {"trusted": ["127.0.0.1"]}}]))


def assert_seen(daemon, port, pki):
    body, peer = fetch(port, pki)
    assert body == BODY
    assert json.loads(daemon.access.wait_for("mta-sts.txt"))["peer"] == peer


def test_nginx_ends_tls(plain, pki, tmp_path):
    port = free_port()
    text = example("nginx-ends-tls.conf", {
        "/run/mta-stsd/http.sock": plain, "/etc/letsencrypt/live": pki.folder / "live",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "    listen [::]:443 ssl;\n": ""})
    with nginx(tmp_path, "http", text, port):
        for _ in range(3):
            assert fetch(port, pki)[0] == BODY


def test_nginx_passes_tls(passed, pki, tmp_path):
    port = free_port()
    text = example("nginx-passes-tls.conf", {
        "127.0.0.1:8443": "%s:%d" % passed.address, "listen 443;": f"listen 127.0.0.1:{port};",
        "    listen [::]:443;\n": ""})
    with nginx(tmp_path, "stream", text, port):
        assert_seen(passed, port, pki)


def test_haproxy_ends_tls(plain, pki, tmp_path):
    port, live = free_port(), pki.folder / "live" / HOST
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs" / "it.pem").write_bytes((live / "fullchain.pem").read_bytes() +
                                                (live / "privkey.pem").read_bytes())
    (tmp_path / "it.cfg").write_text(example("haproxy-ends-tls.cfg", {
        ":::443 v4v6": f"127.0.0.1:{port}", "/etc/haproxy/certs/": tmp_path / "certs",
        "/run/mta-stsd/http.sock": plain}), encoding="utf-8")
    with running(port, "haproxy", "-db", "-f", tmp_path / "it.cfg"):
        assert fetch(port, pki)[0] == BODY


def test_haproxy_passes_tls(passed, pki, tmp_path):
    port = free_port()
    (tmp_path / "it.cfg").write_text(example("haproxy-passes-tls.cfg", {
        ":::443 v4v6": f"127.0.0.1:{port}", "127.0.0.1:8443": "%s:%d" % passed.address}),
        encoding="utf-8")
    with running(port, "haproxy", "-db", "-f", tmp_path / "it.cfg"):
        assert_seen(passed, port, pki)


def test_caddy_ends_tls(plain, pki, tmp_path):
    """With a certificate from a file, as no authority can be reached here."""
    port, live = free_port(), pki.folder / "live" / HOST
    (tmp_path / "Caddyfile").write_text(
        "{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + example("Caddyfile", {
            "mta-sts.example.com, mta-sts.example.org {":
                f"https://{HOST}:{port} {{\n\ttls {live}/fullchain.pem {live}/privkey.pem",
            "/run/mta-stsd/http.sock": plain}), encoding="utf-8")
    with running(port, "caddy", "run", "--adapter", "caddyfile", "--config",
                 tmp_path / "Caddyfile", HOME=str(tmp_path)):
        assert fetch(port, pki)[0] == BODY
