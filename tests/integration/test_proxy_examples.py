# SPDX-License-Identifier: MIT
"""config/proxy/: each file in front of a daemon, with nothing but ports and paths replaced."""

import contextlib
import csv
import json
import os
import re
import socket
import subprocess
import time

import pytest
import yaml

from client import connect, exchange, policy_body, request, tls_context
from daemon import PATIENCE_S, ROOT
from operated import HOST, configuration, operate_in_test, wait_until  # noqa: F401

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


@pytest.fixture(name="behind")
def daemon_behind(operate, pki, tmp_path):
    """Starts a daemon that listens as the example's first lines say, but for the address.

    Without TLS it has no certificates; that of HOST lies where pki has put it.
    """
    def start(name):
        listener, = yaml.safe_load(re.search(r"^# .*\blisten: (\[.*\])$", example(name, {}),
                                             re.MULTILINE)[1])
        is_unix = listener["address"].startswith("unix:")
        listener["address"] = f"unix:{tmp_path}/http.sock" if is_unix else "127.0.0.1:0"
        keys = {} if listener.get("tls", True) else {"certificates": []}
        daemon = operate(configuration(pki, tmp_path, log={"access": "json"}, listen=[listener],
                                       **keys))
        return daemon, daemon.address if is_unix else "%s:%d" % daemon.address
    return start


def assert_seen(daemon, port, pki):
    body, peer = fetch(port, pki)
    assert body == BODY
    assert json.loads(daemon.access.wait_for("mta-sts.txt"))["peer"] == peer


def test_nginx_ends_tls(behind, pki, tmp_path):
    name, port = "nginx-terminates-tls.conf", free_port()
    _, address = behind(name)
    text = example(name, {
        "/run/mta-stsd/http.sock": address, "/etc/letsencrypt/live": pki.folder / "live",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "    listen [::]:443 ssl;\n": ""})
    with nginx(tmp_path, "http", text, port):
        for _ in range(3):
            assert fetch(port, pki)[0] == BODY


def test_nginx_passes_tls(behind, pki, tmp_path):
    name, port = "nginx-passes-tls.conf", free_port()
    daemon, address = behind(name)
    text = example(name, {
        "127.0.0.1:8443": address, "listen 443;": f"listen 127.0.0.1:{port};",
        "    listen [::]:443;\n": ""})
    with nginx(tmp_path, "stream", text, port):
        assert_seen(daemon, port, pki)


@contextlib.contextmanager
def haproxy(folder, text, port):
    """Where root may, in a chroot and as a user of its own, as Debian's haproxy.cfg has it."""
    (folder / "empty").mkdir()
    caged = f"    chroot {folder}/empty\n    user haproxy\n" if os.geteuid() == 0 else ""
    (folder / "it.cfg").write_text(
        f"global\n    stats socket {folder}/stats.sock\n{caged}{text}", encoding="utf-8")
    with running(port, "haproxy", "-db", "-f", folder / "it.cfg"):
        yield


def check_of_haproxy(folder):
    """What the last health check of the server has found, as L7OK/200; empty before the first."""
    with socket.socket(socket.AF_UNIX) as stats:
        stats.connect(str(folder / "stats.sock"))
        stats.sendall(b"show stat\n")
        rows = list(csv.DictReader(stats.makefile(encoding="ascii")))
    row, = [row for row in rows if row["svname"] == "mta_stsd"]
    status = row["check_status"]
    return "" if not status or status.startswith("*") or status == "INI" else \
        f"{status}/{row['check_code']}"


def assert_checked(folder, expected="L7OK/200"):
    assert wait_until(lambda: check_of_haproxy(folder), "a health check") == expected


def ask_for_a_policy(text, address):
    """The example with its other check, which its comment has, in the place of the first."""
    first = re.search(r"    option httpchk.*?check port \d+\n", text, re.DOTALL)[0]
    send, server = re.findall(r"^    #   ((?:http-check|server) .*)$", text, re.MULTILINE)
    server = re.sub(r"192\.0\.2\.2:\d+", address, server)
    return text.replace(first, f"    option httpchk\n    {send}\n    http-check expect status 200\n"
                               f"    {server}\n")


def terminating(folder, pki, port):
    """haproxy-terminates-tls.cfg for this port, but for where mta-stsd listens."""
    live = pki.folder / "live" / HOST
    (folder / "certs").mkdir()
    (folder / "certs" / "it.pem").write_bytes((live / "fullchain.pem").read_bytes() +
                                              (live / "privkey.pem").read_bytes())
    return example("haproxy-terminates-tls.cfg", {
        ":::443 v4v6": f"127.0.0.1:{port}", "/etc/haproxy/certs/": folder / "certs"})


def test_haproxy_ends_tls(behind, pki, tmp_path):
    name, port = "haproxy-terminates-tls.cfg", free_port()
    daemon, address = behind(name)
    text = terminating(tmp_path, pki, port).replace("127.0.0.1:8080", address)
    with haproxy(tmp_path, text.replace("9847", str(daemon.admin_address[1])), port):
        assert_seen(daemon, port, pki)
        assert_checked(tmp_path)

def test_haproxy_passes_tls(behind, pki, tmp_path):
    name, port = "haproxy-passes-tls.cfg", free_port()
    daemon, address = behind(name)
    text = example(name, {":::443 v4v6": f"127.0.0.1:{port}", "127.0.0.1:8443": address,
                          "port 9847": f"port {daemon.admin_address[1]}"})
    with haproxy(tmp_path, text, port):
        assert_seen(daemon, port, pki)
        assert_checked(tmp_path)


@pytest.mark.parametrize("name", ["haproxy-passes-tls.cfg", "haproxy-terminates-tls.cfg"])
def test_haproxy_checks_by_a_policy(behind, pki, tmp_path, name):
    """As it must where admin: is not to be reached: with a Host and, by TLS, with SNI."""
    port = free_port()
    _, address = behind(name)
    text = terminating(tmp_path, pki, port) if "terminates" in name else \
        example(name, {":::443 v4v6": f"127.0.0.1:{port}"})
    with haproxy(tmp_path, ask_for_a_policy(text, address), port):
        assert fetch(port, pki)[0] == BODY
        assert_checked(tmp_path)


def test_haproxy_without_the_recipe(behind, pki, tmp_path):
    """Why there is one: what HAProxy asks by itself has no Host."""
    port = free_port()
    _, address = behind("haproxy-terminates-tls.cfg")
    text = terminating(tmp_path, pki, port).replace("127.0.0.1:8080", address).replace(
        " GET /readyz\n", "\n").replace(" check port 9847", " check")
    with haproxy(tmp_path, text, port):
        assert_checked(tmp_path, "L7STS/404")


def test_caddy_ends_tls(behind, pki, tmp_path):
    """With a certificate from a file, as no authority can be reached here."""
    name, port, live = "Caddyfile", free_port(), pki.folder / "live" / HOST
    _, address = behind(name)
    (tmp_path / "Caddyfile").write_text(
        "{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + example(name, {
            "mta-sts.example.com, mta-sts.example.org {":
                f"https://{HOST}:{port} {{\n\ttls {live}/fullchain.pem {live}/privkey.pem",
            "/run/mta-stsd/http.sock": address}), encoding="utf-8")
    with running(port, "caddy", "run", "--adapter", "caddyfile", "--config",
                 tmp_path / "Caddyfile", HOME=str(tmp_path)):
        assert fetch(port, pki)[0] == BODY


def test_traefik_is_told_of_a_listener_there_is(behind):
    """Debian has no Traefik."""
    behind("traefik.yaml")
    service = yaml.safe_load(example("traefik.yaml", {}))["tcp"]["services"]["mta-stsd"]
    assert service["loadBalancer"] == {"proxyProtocol": {"version": 2},
                                       "servers": [{"address": "127.0.0.1:8443"}]}
