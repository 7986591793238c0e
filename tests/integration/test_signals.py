# SPDX-License-Identifier: MIT
"""Beginning and end: what SIGTERM finishes, and why a start is refused."""

import pathlib
import signal
import socket
import time

import pytest

from client import (connect, connect_tls, exchange, fetch, parse_answer, policy_body, read_all,
                    request, tls_context)
from daemon import configuration, run, write_configuration

HOST = "mta-sts.example.com"
BODY = policy_body("mx.example.com")
DOMAINS = {"example.com": {"mx": ["mx.example.com"]}}
DRAIN_TIMEOUT_S = 10


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_running_request_is_finished(serve, pki, number):
    daemon = serve(configuration(pki, DOMAINS))
    sent = request(HOST)
    with connect_tls(daemon.address, HOST, tls_context(pki)) as connection:
        connection.sendall(sent[:20])
        daemon.send_signal(number)
        daemon.log.wait_for("shutting down, waiting for open connections")
        connection.sendall(sent[20:])
        assert parse_answer(read_all(connection)).body == BODY
    daemon.wait_for_end()


def test_backlog_is_served(serve, pki):
    """Peers that the kernel has let in are answered: they wait while the daemon stands still."""
    daemon = serve(configuration(pki, DOMAINS, workers=1,
                                 listen=[{"address": "127.0.0.1:0", "tls": False}]))
    daemon.send_signal(signal.SIGSTOP)
    connections = [connect(daemon.address) for _ in range(500)]
    for connection in connections:
        connection.sendall(request(HOST))
    daemon.send_signal(signal.SIGTERM)
    daemon.send_signal(signal.SIGCONT)
    for connection in connections:
        with connection:
            assert parse_answer(read_all(connection)).body == BODY
    daemon.wait_for_end()


def is_refused(address):
    try:
        connect(address).close()
    except ConnectionResetError:  # in the very moment of closing
        return False
    except ConnectionRefusedError:
        return True
    return False


def test_nothing_is_accepted_while_draining(serve, pki):
    daemon = serve(configuration(pki, DOMAINS))
    with connect_tls(daemon.address, HOST, tls_context(pki)) as connection:
        connection.sendall(request(HOST)[:20])
        daemon.send_signal(signal.SIGTERM)
        daemon.log.wait_for("shutting down, waiting for open connections")
        while not is_refused(daemon.address):
            pass
        connection.sendall(request(HOST)[20:])
        assert parse_answer(read_all(connection)).body == BODY


def test_silent_peers_do_not_hold_the_end(serve, pki):
    daemon = serve(configuration(pki, DOMAINS))
    with connect(daemon.address), connect_tls(daemon.address, HOST, tls_context(pki)):
        asked_at = time.monotonic()
        daemon.stop()
        assert time.monotonic() - asked_at < DRAIN_TIMEOUT_S + 5


def test_second_signal_ends_at_once(serve, pki):
    daemon = serve(configuration(pki, DOMAINS))
    with connect(daemon.address):
        daemon.send_signal(signal.SIGTERM)
        daemon.log.wait_for("shutting down, waiting for open connections")
        daemon.stop()
    assert daemon.log.find("ended by a second signal")


def test_signal_in_the_last_moment(serve, pki):
    """A reload that is asked for until the process has gone does not spoil its exit status."""
    daemon = serve(configuration(pki, DOMAINS))
    daemon.send_signal(signal.SIGTERM)
    while daemon.process.poll() is None:
        daemon.send_signal(signal.SIGHUP)
    daemon.wait_for_end()


def test_shutdown_delay(serve, pki):
    """A load balancer needs a moment to send its clients elsewhere."""
    daemon = serve(configuration(pki, DOMAINS, shutdown_delay="1s"))
    asked_at = time.monotonic()
    daemon.send_signal(signal.SIGTERM)
    assert fetch(daemon.address, HOST, tls_context(pki)).body == BODY
    daemon.log.wait_for("shutting down, waiting for open connections")
    assert time.monotonic() - asked_at > 0.9
    daemon.wait_for_end()


def test_second_signal_ends_the_shutdown_delay(serve, pki):
    daemon = serve(configuration(pki, DOMAINS, shutdown_delay="1h"))
    daemon.send_signal(signal.SIGTERM)
    daemon.stop(signal.SIGINT)


def refuse_to_start(folder, settings, status):
    """Starts the program in vain; returns what it says."""
    process = run("-c", write_configuration(folder / "refused.yaml", settings))
    assert process.returncode == status
    return process.stderr.decode()


def test_wrong_configuration(tmp_path):
    errors = refuse_to_start(tmp_path, "domains: {example.com: {mode: none}}\nworkers: 0\n", 2)
    assert "refused.yaml:2:10: error: workers: " in errors
    assert errors.endswith("mta-stsd: not started: the configuration has errors\n")


def test_port_in_use(serve, pki, tmp_path):
    """Neither a stranger nor a second mta-stsd may share the port."""
    daemon = serve(configuration(pki, DOMAINS))
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        for port in (stranger.getsockname()[1], daemon.address[1]):
            errors = refuse_to_start(tmp_path, configuration(
                pki, DOMAINS, listen=[{"address": f"127.0.0.1:{port}"}]), 3)
            assert errors.endswith(f"mta-stsd: listen: '127.0.0.1:{port}' cannot be opened: Address "
                                   "already in use; another program listens on this port, maybe "
                                   "another mta-stsd: as root, 'ss -ltnp sport = "
                                   f":{port}' names it\n")


def test_address_of_another_machine(pki, tmp_path):
    errors = refuse_to_start(tmp_path, configuration(
        pki, DOMAINS, listen=[{"address": "192.0.2.1:0"}]), 3)
    assert "listen: '192.0.2.1:0' cannot be opened: Cannot assign requested address; no " \
        "interface of this machine has this address" in errors


def test_missing_folder_of_a_socket(pki, tmp_path):
    path = f"{tmp_path}/missing/http.sock"
    errors = refuse_to_start(tmp_path, configuration(
        pki, DOMAINS, listen=[{"address": f"unix:{path}", "tls": False}]), 3)
    assert f"listen: 'unix:{path}' cannot be opened: No such file or directory; make its folder" \
        in errors


@pytest.fixture(name="listen_unix")
def listen_on_unix_socket(pki, tmp_path):
    path = tmp_path / "http.sock"
    return path, configuration(pki, DOMAINS, listen=[{"address": f"unix:{path}", "tls": False}])


def answers(path):
    answer = exchange(connect(str(path)), request(HOST, headers=["Connection: close"]))
    return answer.body == BODY


def test_unix_socket_is_removed_at_the_end(serve, listen_unix):
    path, settings = listen_unix
    daemon = serve(settings)
    assert answers(path)
    daemon.stop()
    assert not path.exists()


def test_stale_unix_socket_is_replaced(serve, listen_unix):
    path, settings = listen_unix
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    serve(settings)
    assert answers(path)


def test_live_unix_socket_is_refused(serve, listen_unix, tmp_path):
    path, settings = listen_unix
    serve(settings)
    errors = refuse_to_start(tmp_path, settings, 3)
    assert f"listen: 'unix:{path}' cannot be opened: Address already in use" in errors
    assert answers(path)


@pytest.mark.parametrize("make", [
    lambda path: path.write_text("precious"),
    lambda path: path.symlink_to("/nowhere"),
    pathlib.Path.mkdir,
], ids=["file", "symlink", "folder"])
def test_what_is_no_socket_is_not_replaced(listen_unix, tmp_path, make):
    path, settings = listen_unix
    make(path)
    before = path.lstat()
    errors = refuse_to_start(tmp_path, settings, 3)
    assert f"listen: 'unix:{path}' cannot be opened: File exists" in errors
    assert path.lstat() == before


def test_sockets_opened_before_a_refusal_are_removed(listen_unix, tmp_path):
    path, settings = listen_unix
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = f"127.0.0.1:{stranger.getsockname()[1]}"
        settings["listen"].append({"address": taken})
        refuse_to_start(tmp_path, settings, 3)
    assert not path.exists()
