# SPDX-License-Identifier: MIT
"""Accidents of operation: each ends in a clear sentence, and what was running goes on.

MTA_LONG=1 repeats more often. Those with few descriptors are in test_limits.py, and those with
certificates in test_certificate_accidents.py.
"""

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest

import daemon as harness
from client import connect_tls, exchange, fetch, policy_body, request, tls_context
from daemon import IS_SANITIZED, PATIENCE_S, PROGRAM, run, write_configuration
from operated import HOST, LONG, configuration, operate_in_test, wait_until  # noqa: F401

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces and mounts need root")
BODY = policy_body("mx.example.com")


def body(daemon, pki):
    return fetch(daemon.address, HOST, tls_context(pki)).body


# Network

NETWORK = """
ip link set lo up
for setting in $1; do sysctl -qw "$setting"; done
shift
exec "$@"
"""


def in_network(*settings):
    return ["unshare", "--net", "sh", "-ec", NETWORK, "sh", " ".join(settings)]


def curl(daemon, pki, address, port=443):
    """Fetches the policy in the daemon's network namespace."""
    return subprocess.run(
        ["nsenter", f"--net=/proc/{daemon.process.pid}/ns/net", "curl", "-sS", "--max-time", "10",
         "--cacert", pki.ca, "--noproxy", "*", "--resolve", f"{HOST}:{port}:{address}",
         f"https://{HOST}:{port}/.well-known/mta-sts.txt"], capture_output=True, check=False)


def default_listener(pki, folder, **keys):
    settings = configuration(pki, folder, **keys)
    del settings["listen"], settings["admin"]
    return settings


@needs_root
@pytest.mark.parametrize("settings", [
    ["net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"],
    ["net.ipv6.bindv6only=1"],
    [],
])
def test_default_listener(operate, pki, tmp_path, settings):
    daemon = operate(default_listener(pki, tmp_path), wrapper=in_network(*settings))
    assert curl(daemon, pki, "127.0.0.1").stdout == BODY
    if not any("disable_ipv6" in setting for setting in settings):
        assert curl(daemon, pki, "[::1]").stdout == BODY


@needs_root
def test_ipv6_that_was_asked_for(pki, tmp_path):
    """By name it is an error: to serve less than was asked for in silence is worse."""
    config = write_configuration(tmp_path / "mta-stsd.yaml", configuration(
        pki, tmp_path, listen=[{"address": "[2001:db8::1]:443"}]))
    process = subprocess.run([*in_network("net.ipv6.conf.all.disable_ipv6=1"), PROGRAM, "-c",
                              config], capture_output=True, timeout=PATIENCE_S, check=False)
    assert process.returncode == 3
    assert b"listen: '[2001:db8::1]:443' cannot be opened: Cannot assign requested address" in \
        process.stderr


# The address family is not there at all, as after ipv6.disable=1 or in a kernel without it.
WITHOUT_IPV6 = """
import ctypes, errno, os, socket, sys
class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operator", ctypes.c_uint),
                ("value", ctypes.c_uint64), ("other", ctypes.c_uint64)]
library = ctypes.CDLL("libseccomp.so.2")
library.seccomp_init.restype = ctypes.c_void_p
allow, refuse, equal = 0x7fff0000, 0x00050000 | errno.EAFNOSUPPORT, 4
rules = ctypes.c_void_p(library.seccomp_init(allow))
assert library.seccomp_rule_add_array(
    rules, refuse, library.seccomp_syscall_resolve_name(b"socket"), 1,
    ctypes.byref(Comparison(0, equal, socket.AF_INET6))) == 0
assert library.seccomp_load(rules) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


@needs_root
def test_default_listener_without_ipv6(operate, pki, tmp_path):
    daemon = operate(default_listener(pki, tmp_path),
                     wrapper=[*in_network(), sys.executable, "-c", WITHOUT_IPV6])
    assert daemon.log.find(r"listening on 0\.0\.0\.0:443 \(TLS\)")
    assert curl(daemon, pki, "127.0.0.1").stdout == BODY


@pytest.mark.parametrize("address", ["[::]:8443", "[::1]:0"])
def test_without_the_ipv6_that_was_asked_for(pki, tmp_path, address):
    config = write_configuration(tmp_path / "mta-stsd.yaml", configuration(
        pki, tmp_path, listen=[{"address": address}]))
    process = subprocess.run([sys.executable, "-c", WITHOUT_IPV6, PROGRAM, "-c", config],
                             capture_output=True, timeout=PATIENCE_S, check=False)
    assert process.returncode == 3
    assert (f"listen: '{address}' cannot be opened, for there is no IPv6 here; all of IPv4 is "
            f"'0.0.0.0:{address.rpartition(':')[2]}': Address family not supported"
            ) in process.stderr.decode()


@needs_root
def test_second_daemon_on_the_port(operate, pki, tmp_path):
    first = operate(default_listener(pki, tmp_path), wrapper=in_network())
    other = tmp_path / "other"
    other.mkdir()
    config = write_configuration(other / "mta-stsd.yaml", default_listener(pki, other))
    process = subprocess.run(["nsenter", f"--net=/proc/{first.process.pid}/ns/net", PROGRAM, "-c",
                              config], capture_output=True, timeout=PATIENCE_S, check=False)
    assert process.returncode == 3
    assert b"listen: '[::]:443' cannot be opened: Address already in use" in process.stderr
    assert curl(first, pki, "127.0.0.1").stdout == BODY


# Disk, pipes


def many(count):
    return {f"d{i}.example": {"mx": ["mx.example.com"]} for i in range(count)}


def test_output_to_a_full_disk(pki, tmp_path):
    config = write_configuration(tmp_path / "mta-stsd.yaml", configuration(
        pki, tmp_path, policy_host={"name": "policy.provider.example"}))
    for mode in (["-c", config, "--print-dns"], ["-c", config, "--print-policy", "example.com"],
                 ["-c", config, "--test-config"], ["--help"], ["--version"]):
        with open("/dev/full", "wb") as full:
            process = run(*mode, capture_output=False, stdout=full, stderr=subprocess.PIPE)
        assert process.returncode == 3, mode
        assert b"No space left on device" in process.stderr, mode


@needs_root
def test_output_folder_on_a_full_disk(pki, tmp_path):
    domains = {f"d{i}.example": {"mx": ["mx.example.com"], "zone": f"d{i % 3}.example"}
               for i in range(3)}
    domains = {**domains, **many(600)}
    config = write_configuration(tmp_path / "mta-stsd.yaml", configuration(
        pki, tmp_path, domains, policy_host={"name": "policy.provider.example"},
        certificates=[], listen=[{"address": "unix:/run/http.sock", "tls": False}]))
    (tmp_path / "disk").mkdir()
    process = subprocess.run(
        ["unshare", "--mount", "sh", "-ec",
         'mount -t tmpfs -o size=64k none "$1"; disk=$1; shift; status=0; "$@" || status=$?; '
         'ls "$disk"; exit $status', "sh", tmp_path / "disk", PROGRAM, "-c", config,
         "--print-dns", "--output", tmp_path / "disk"],
        capture_output=True, timeout=PATIENCE_S, check=False)
    assert process.returncode == 3, process
    assert b"No space left on device" in process.stderr
    assert b"tmp" not in process.stdout.lower()  # no half files among the whole ones


def fetch_many(daemon, pki, count):
    context = tls_context(pki)
    for _ in range(count):
        connection = connect_tls(daemon.address, HOST, context)
        assert exchange(connection, request(HOST, headers=["User-Agent: " + 190 * "x"])).status == 200


def test_access_log_on_a_full_disk(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path, log={"access": "json"}),
                     wrapper=["sh", "-c", 'exec "$@" >/dev/full', "sh"])
    fetch_many(daemon, pki, 20)
    wait_until(lambda: daemon.metric("log_lines_dropped_total") == 20, "counted")
    daemon.log.wait_for("log lines dropped: ")


@pytest.mark.parametrize("access", ["text", "json"])
def test_access_log_nobody_reads(operate, pki, tmp_path, access):
    """`mta-stsd | something` and something has stopped: policies, reloads and the end go on."""
    os.mkfifo(tmp_path / "pipe")
    pipe = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        daemon = operate(configuration(pki, tmp_path, log={"access": access}),
                         wrapper=["sh", "-c", f'exec "$@" >"{tmp_path}/pipe"', "sh"])
        fetch_many(daemon, pki, 250)
        wait_until(lambda: daemon.metric("log_lines_dropped_total") > 0, "dropped")
        daemon.log.wait_for("log lines dropped: ")
        assert daemon.ask("--health").returncode == 0
        assert daemon.ask("--reload").returncode == 0
        # Every line that is there is a whole one, and the log goes on when somebody reads again.
        lines = os.read(pipe, 1 << 20).decode().splitlines()
        assert all(line.endswith("}" if access == "json" else "'") for line in lines[:-1])
        fetch_many(daemon, pki, 3)
        wait_until(lambda: b"xxx" in os.read(pipe, 1 << 20), "logged again")
        daemon.stop()
    finally:
        os.close(pipe)


def test_log_nobody_reads(pki, tmp_path):
    """The same for standard error, where a stranger's handshakes make lines."""
    os.mkfifo(tmp_path / "pipe")
    pipe = os.open(tmp_path / "pipe", os.O_RDWR)
    config = write_configuration(tmp_path / "mta-stsd.yaml", configuration(pki, tmp_path))
    with open(tmp_path / "pipe", "wb", buffering=0) as full:
        os.set_blocking(full.fileno(), False)
        with contextlib.suppress(BlockingIOError):
            while full.write(b"x" * 4096):
                pass
        process = subprocess.Popen([PROGRAM, "-c", config], stderr=full)
    try:
        wait_until(lambda: run("-c", config, "--health").returncode == 0, "serving")
        for _ in range(3):
            assert run("-c", config, "--reload").returncode == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        os.close(pipe)
        process.kill()
        process.wait()


# Configuration


@pytest.fixture(name="included")
def operate_with_include(operate, pki, tmp_path):
    """A daemon whose domains come from domains.d/, 30 of them."""
    folder = tmp_path / "domains.d"
    folder.mkdir()
    text = "domains:\n" + "".join(f"  d{i}.example: {{mx: [mx.example.com]}}\n" for i in range(30))
    write_configuration(folder / "customers.yaml", text)
    daemon = operate(configuration(pki, tmp_path, include=["domains.d/*.yaml"]))
    return daemon, folder / "customers.yaml", text


def refused(daemon, pki, status, *texts):
    """--reload says why, and what was there is served as before."""
    process = daemon.ask("--reload")
    output = (process.stdout + process.stderr).decode()
    assert process.returncode == status, output
    for text in texts:
        assert text in output, output
    assert daemon.converse(b"served\n").count(b"\n") == 32
    assert body(daemon, pki) == BODY


def test_emptied_folder(included, pki):
    daemon, file, text = included
    file.unlink()
    refused(daemon, pki, 2, "domains.d/*.yaml", "reload refused: 1 error")
    file.parent.rmdir()
    refused(daemon, pki, 2, "domains.d/*.yaml")
    file.parent.mkdir()
    file.write_text("")
    refused(daemon, pki, 2, "customers.yaml:1:1: error: ")
    file.write_text("domains: {}\n")
    refused(daemon, pki, 1, "30 of 31 domains would go, more than limits.removed (5%)")
    file.write_text(text)
    assert daemon.ask("--reload").returncode == 0


def test_truncated_file(included, pki):
    """At whatever byte a copy was cut: an error, or so few domains that the guard sees it."""
    daemon, file, text = included
    for cut in [0, 5, len("domains:\n"), len(text) // 2, len(text) // 2 + 7, 40,
                text.index("\n", 300) + 1]:
        file.write_text(text[:cut])
        process = daemon.ask("--reload")
        assert process.returncode in (1, 2), (cut, process.stdout)
        assert daemon.converse(b"served\n").count(b"\n") == 32
    assert body(daemon, pki) == BODY


def test_broken_file_and_then_a_restart(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path))
    write_configuration(daemon.config_path, "domains:\n  example.com: {mx: [mx.example.com}\n")
    daemon.send_signal(signal.SIGHUP)
    daemon.log.wait_for("reload refused: 1 error")
    assert body(daemon, pki) == BODY
    daemon.stop()
    process = run("-c", daemon.config_path)
    assert process.returncode == 2
    assert re.search(rb"mta-stsd.yaml:2:\d+: error: .*\n.*not started: the configuration has errors",
                     process.stderr)


def test_signal_while_the_file_is_read(pki, tmp_path):
    """With a million domains that takes seconds; a reload asked for meanwhile comes after."""
    os.mkfifo(tmp_path / "pipe")
    config = tmp_path / "mta-stsd.yaml"
    (tmp_path / "pipe").rename(config)
    process = subprocess.Popen([PROGRAM, "-c", config], stderr=subprocess.PIPE, text=True)
    log = harness.Output(process.stderr)
    try:
        with config.open("w") as pipe:  # returns when the daemon has opened it too
            write_configuration(config, configuration(pki, tmp_path, many(3)))
            process.send_signal(signal.SIGHUP)
            time.sleep(0.1)
            pipe.write(harness.json.dumps(configuration(pki, tmp_path, many(2))))
        log.wait_for("ready: 2 domains")
        log.wait_for("3 domains: 1 added")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()


def test_folder_in_place_of_the_file(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path))
    daemon.config_path.unlink()
    daemon.config_path.mkdir()
    daemon.send_signal(signal.SIGHUP)
    daemon.log.wait_for("mta-stsd.yaml: error: .*directory")
    assert body(daemon, pki) == BODY


# Again and again


def test_many_reloads_in_a_row(operate, pki, tmp_path):
    """Good ones and bad ones: neither memory nor descriptors grow."""
    settings = [configuration(pki, tmp_path, many(200 + i)) for i in range(2)]
    texts = [harness.json.dumps(each) for each in settings]
    texts.append(f"control: {tmp_path}/control.sock\ndomains: broken\n")
    daemon = operate(settings[0])

    def reload_many(count):
        for i in range(count):
            write_configuration(daemon.config_path, texts[i % 3])
            answer = daemon.converse(b"reload\n")
            assert answer.startswith(b"broken\n" if i % 3 == 2 else b"good\n"), answer
        write_configuration(daemon.config_path, texts[0])
        assert daemon.converse(b"reload\n").startswith(b"good\n")

    reload_many(100)
    descriptors, memory = len(daemon.descriptors()), daemon.memory_kb()
    reload_many(1000 if LONG else 250)
    wait_until(lambda: len(daemon.descriptors()) <= descriptors, "descriptors as before", 5)
    if not IS_SANITIZED:  # which keeps freed memory for a while
        assert daemon.memory_kb() < memory + 2048
    assert daemon.converse(b"health\n") == b"good\nserving\n"


def test_killed_at_any_time(operate, pki, tmp_path):
    """What a crash leaves behind, sockets' files above all, is in nobody's way."""
    unix = str(tmp_path / "http.sock")
    settings = configuration(pki, tmp_path, listen=[
        {"address": "127.0.0.1:0"}, {"address": f"unix:{unix}", "tls": False}])
    write_configuration(tmp_path / "mta-stsd.yaml", settings)
    chance = random.Random(8461)
    for _ in range(100 if LONG else 15):
        process = subprocess.Popen([PROGRAM, "-c", tmp_path / "mta-stsd.yaml"],
                                   stderr=subprocess.DEVNULL)
        time.sleep(chance.random() * 0.4)
        process.kill()
        assert process.wait(PATIENCE_S) == -signal.SIGKILL
    daemon = operate(settings)
    assert body(daemon, pki) == BODY
    assert daemon.ask("--health").returncode == 0
