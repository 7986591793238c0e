# SPDX-License-Identifier: MIT
"""What root gives up, what the sandbox holds, and what systemd hands over and is told."""

import contextlib
import json
import os
import pathlib
import pwd
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile

import pytest

from client import connect, exchange, fetch, policy_body, request, tls_context
from daemon import PATIENCE_S, PROGRAM, Daemon, configuration, run, write_configuration, write_file
from pki import Pki, leaf_of

HOST, OTHER_HOST = "mta-sts.example.com", "mta-sts.example.org"
DOMAINS = {"example.com": {"mx": ["mx.example.com"]}, "example.org": {"mx": ["mx.example.org"]}}
BODY = policy_body("mx.example.com")
NOBODY = pwd.getpwnam("nobody")
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapAmb")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to give up")


@pytest.fixture(name="folder")
def folder_for_all():
    """A folder that another user can get to, unlike tmp_path."""
    with tempfile.TemporaryDirectory(prefix="mta-stsd-") as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


@pytest.fixture(name="certificates")
def certificates_of_nobody(folder, monkeypatch):
    """Certificates for both hosts, of a trusted root; the second one's key is root's alone."""
    pki = Pki(folder / "pki", HOST, OTHER_HOST)
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.ca))
    give_key(pki)
    return pki


@pytest.fixture(name="start")
def start_in_folder(folder, certificates):
    with contextlib.ExitStack() as stack:
        def start(wrapper=(), **keys):
            settings = configuration(certificates, DOMAINS, **{"user": "nobody", "admin": "off",
                                                               **keys})
            written = {key: value for key, value in settings.items() if value is not None}
            return stack.enter_context(Daemon(folder, written, wrapper))
        yield start


def give_key(pki, host=HOST):
    os.chown(pki.folder / "live" / host / "privkey.pem", NOBODY.pw_uid, NOBODY.pw_gid)


def keys(pki):
    return configuration(pki, DOMAINS, user="nobody", admin="off")


def statuses(daemon):
    """/proc/PID/status of each thread."""
    for path in pathlib.Path(f"/proc/{daemon.process.pid}/task").glob("*/status"):
        yield dict(line.split(":\t", 1) for line in path.read_text().splitlines())


def is_instrumented(daemon):
    return bool(daemon.log.find(r"sandbox: .*\(instrumented build\)"))


def lacks(daemon, feature):
    return is_instrumented(daemon) or bool(daemon.log.find(f"sandbox: .*no {feature}"))


def fetch_until(daemon, host, pki, is_wanted=bool):
    """Fetches until it succeeds as wanted: the log tells of a certificate right before its use."""
    for _ in range(1000):
        with contextlib.suppress(OSError):
            answer = fetch(daemon.address, host, tls_context(pki))
            if is_wanted(answer):
                return answer
    raise AssertionError("what is wanted never came")


def run_as_nobody(folder, capabilities=""):
    """A wrapper that starts the program, where nobody can get to it, as nobody."""
    program = shutil.copy(PROGRAM, folder / "mta-stsd")
    os.chmod(program, 0o755)
    capabilities = [f"--inh-caps={capabilities}", f"--ambient-caps={capabilities}"] \
        if capabilities else []
    # The program that follows is a path; exec takes ours in its place.
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *capabilities,
            "sh", "-c", 'shift; exec "$0" "$@"', program]


def test_root_becomes_user(start, certificates):
    daemon = start()
    assert fetch(daemon.address, HOST, tls_context(certificates)).body == BODY
    daemon.reload()
    all_threads = list(statuses(daemon))
    assert len(all_threads) > 2
    for status in all_threads:
        assert status["Uid"].split() == [str(NOBODY.pw_uid)] * 4
        assert status["Gid"].split() == [str(NOBODY.pw_gid)] * 4
        assert status["Groups"].split() == [str(NOBODY.pw_gid)]
        assert {int(status[name], 16) for name in CAPABILITIES} == {0}
        assert status["NoNewPrivs"] == "1"
        assert is_instrumented(daemon) or status["Seccomp"] == "2"
    daemon.log.wait_for("sandbox: user nobody, no capabilities, ")
    # /proc/PID is root's where memory is not to be read or dumped.
    assert os.stat(f"/proc/{daemon.process.pid}/fd").st_uid == 0


def test_user_root_stays_root(start):
    daemon = start(user="root")
    daemon.log.wait_for("warning: user: 'root' keeps all privileges")
    for status in statuses(daemon):
        assert status["Uid"].split() == ["0"] * 4 and int(status["CapEff"], 16) != 0
        assert status["NoNewPrivs"] == "1"


def test_files_of_root_are_unreadable(start, certificates):
    daemon = start()
    daemon.log.wait_for(f"{OTHER_HOST}: .*privkey.pem.*Permission denied")
    with pytest.raises(OSError):
        fetch(daemon.address, OTHER_HOST, tls_context(certificates))
    assert fetch(daemon.address, HOST, tls_context(certificates)).body == BODY
    give_key(certificates, OTHER_HOST)
    daemon.reload()
    daemon.log.wait_for(f"{OTHER_HOST}: .*is in use")
    assert fetch_until(daemon, OTHER_HOST, certificates).status == 200


@pytest.mark.parametrize("user, is_withheld", [("nobody", True), ("root", False)])
def test_root_looks_with_the_eyes_of_user(folder, certificates, user, is_withheld):
    """What root alone can read is not served, so its id must not be published."""
    path = write_file(folder / "as.yaml", json.dumps(
        {**keys(certificates), "user": user, "policy_host": {"name": "policy.example"}}))
    output = folder / "out"
    process = run("-c", path, "--print-dns=json", "--output", output)
    assert process.returncode == 0, process.stderr
    records = [record for file in output.iterdir() for record in json.loads(file.read_text())]
    withheld = [record["withheld"] for record in records if record["withheld"]]
    assert ["Permission denied" in reason for reason in withheld] == [True] * is_withheld
    findings = run("-c", path, "--test-config").stdout.decode()
    assert ("Permission denied" in findings) == is_withheld


def test_directory_that_may_be_read_only_later(start, certificates):
    """The mistake of a first start: the sandbox must not outlive its cure."""
    live = certificates.folder / "live"
    live.chmod(0o700)
    daemon = start()
    daemon.log.wait_for(f"certificates: '{live}' cannot be listed: Permission denied")
    daemon.log.wait_for(f"{HOST} and 1 more policy host: {live}/.* cannot be read: Permission denied")
    live.chmod(0o755)
    daemon.reload()
    assert fetch_until(daemon, HOST, certificates).status == 200


def test_renewed_certificate_is_served(start, certificates):
    live = certificates.folder / "live" / HOST
    daemon = start()
    before = fetch(daemon.address, HOST, tls_context(certificates)).certificate
    assert before == leaf_of(live / "fullchain.pem")
    shutil.rmtree(live)
    certificates.make(HOST)
    give_key(certificates)
    daemon.reload()
    daemon.log.wait_for(f"{HOST}: .*is in use")
    assert fetch_until(daemon, HOST, certificates,
                       lambda answer: answer.certificate != before).certificate == \
        leaf_of(live / "fullchain.pem")


def test_configuration_of_root_cannot_be_reloaded(folder, certificates):
    path = write_configuration(folder / "mta-stsd.yaml", keys(certificates))
    path.chmod(0o600)
    settings = path.read_text()
    with Daemon(folder, settings) as daemon:
        path.chmod(0o600)
        daemon.reload(wanted="refused")
        daemon.log.wait_for("mta-stsd.yaml.*Permission denied")
        assert fetch(daemon.address, HOST, tls_context(certificates)).body == BODY


def findings_of(path, *options):
    process = run("-c", path, "--test-config", *options)
    return process.returncode, process.stdout.decode()


def test_what_the_start_would_refuse_is_found(folder, certificates):
    """By root alone, who will start the daemon; and only where the daemon will run."""
    settings = {**keys(certificates), "policy_host": {"name": "policy.example"}}
    path = write_configuration(folder / "a.yaml", {**settings, "user": "mtasts"})
    status, text = findings_of(path)
    assert status == 2
    assert f"{path}: error: user: there is no user 'mtasts', and the daemon would not start" in text
    assert findings_of(path, "--no-certificates")[0] == 0

    (folder / "d").mkdir()
    write_configuration(folder / "d" / "b.yaml", {"domains": {"b.example": {"mode": "none"}}})
    path = write_configuration(folder / "a.yaml", {**settings, "user": "nobody",
                                                   "include": ["d/*.yaml"]})
    assert "refused" not in findings_of(path)[1]
    why = "warning: user: 'nobody' cannot read the configuration, so that each reload would be " \
        "refused: "
    for denied, reason in ((path, "the file cannot be read: Permission denied"),
                           (folder / "d" / "b.yaml", "b.yaml' cannot be read: Permission denied"),
                           (folder / "d", "d/\\*.yaml' leads into a directory that cannot be read")):
        mode = stat.S_IMODE(denied.stat().st_mode)
        denied.chmod(0o600)
        status, text = findings_of(path)
        assert status == 0
        assert re.search(rf"{why}{path}:.*{reason} \[reload-unreadable\]", text)
        denied.chmod(mode)


def test_a_program_that_cannot_be_run(folder, certificates, start):
    """A warning, as the user of the daemon sees it; it refuses no start."""
    program = folder / "publish"
    settings = {**keys(certificates), "policy_host": {"name": "policy.example"}, "user": "nobody",
                "state": str(folder / "state"), "on_change": {"run": [str(program), "argument"]}}
    path = write_configuration(folder / "a.yaml", settings)
    finding = f"warning: on_change.run[0]: '{program}' cannot be run by user 'nobody': {{}}; " \
        "until it can, changed records are not published [program-unusable]\n"

    assert finding.format("No such file or directory") in findings_of(path)[1]
    assert "program-unusable" not in findings_of(path, "--no-certificates")[1]
    program.mkdir()
    assert finding.format("Is a directory") in findings_of(path)[1]
    program.rmdir()
    program.write_text("#!/bin/sh\n")
    for mode in (0o644, 0o700):
        program.chmod(mode)
        status, text = findings_of(path)
        assert status == 0 and finding.format("Permission denied") in text
    daemon = start(**{key: settings[key] for key in ("state", "on_change")})
    daemon.log.wait_for(r"on_change.run\[0\]: .*: Permission denied; .* \[program-unusable\]$")
    program.chmod(0o755)
    assert "program-unusable" not in findings_of(path)[1]


@pytest.mark.parametrize("name, mode, advice", [
    ("absent", None, "cannot be listed: No such file or directory; correct the path in "
                     "'certificates:', or make the folder if no certificate has come yet ["),
    ("closed", 0o700, "cannot be listed: Permission denied; let user 65532 read it ["),
    ("file", 0o644, "cannot be listed: Not a directory; correct the path in 'certificates:' ["),
])
def test_advice_for_a_folder(folder, name, mode, advice):
    """A permission is no cure for what is not there; a user of a container may have no name."""
    place = folder / name
    if name == "file":
        place.touch()
    elif mode is not None:
        place.mkdir(mode)
    path = write_configuration(folder / "a.yaml", {
        "certificates": [{"chain": f"{place}/{{host}}.pem"}], "domains": DOMAINS})
    process = run("-c", path, "-t", user=65532, group=65532, extra_groups=[])
    assert f"'{place}' {advice}" in process.stdout.decode()


def test_one_cause_is_one_finding(folder):
    hosts = [f"mta-sts.c{i}.example" for i in range(4)]
    pki = Pki(folder / "pki", *hosts)
    path = write_configuration(folder / "a.yaml", {
        "user": "nobody", "certificates": [pki.source],
        "domains": {host.removeprefix("mta-sts."): {"mx": ["mx.example"]} for host in hosts}})
    lines = [line for line in findings_of(path)[1].splitlines() if "warning" in line][:-1]
    assert len(lines) == 1
    assert f"{hosts[0]} and 3 more policy hosts: {pki.folder}/live/{hosts[0]}/privkey.pem: cannot be " \
        "read: Permission denied; let user 'nobody' read it [certificate-unreadable]" in lines[0]


def test_link_that_leads_out_of_the_sandbox(start, certificates):
    """The link came after the start: no permission helps, only a restart."""
    daemon = start()
    if lacks(daemon, "Landlock"):
        pytest.skip("without Landlock any file may be read")
    live = certificates.folder / "live" / OTHER_HOST
    shutil.rmtree(live)
    with tempfile.TemporaryDirectory(prefix="mta-stsd-elsewhere-") as name:
        os.chmod(name, 0o755)
        elsewhere = Pki(pathlib.Path(name), OTHER_HOST).folder / "live" / OTHER_HOST
        live.symlink_to(elsewhere)
        daemon.reload()
        daemon.log.wait_for(f"{OTHER_HOST}: {live}/fullchain.pem: cannot be read: Permission denied; "
                            f"restart the daemon, as its sandbox does not allow '{elsewhere}/")


def start_and_fail(folder, settings, wrapper=()):
    path = write_configuration(folder / "mta-stsd.yaml", settings)
    return subprocess.run([*wrapper, PROGRAM, "-c", path], stdin=subprocess.DEVNULL, check=False,
                          capture_output=True, text=True, timeout=PATIENCE_S)


def test_unknown_user(folder, certificates):
    process = start_and_fail(folder, {**keys(certificates), "user": "mta-sts-nobody"})
    assert process.returncode == 3
    assert "user: there is no user 'mta-sts-nobody'; make it, 'useradd --system" in process.stderr


def test_default_user_is_ignored_silently(folder, start):
    """As in a container: nobody has written a user, so nobody has to be told."""
    daemon = start(run_as_nobody(folder), user=None)
    assert not daemon.log.find("user: ")


def test_started_without_root(folder, start, certificates):
    daemon = start(run_as_nobody(folder), user="root")
    daemon.log.wait_for("info: user: 'root' is ignored: the daemon stays 'nobody', who has started it")
    assert not daemon.log.find("warning: user")
    assert fetch(daemon.address, HOST, tls_context(certificates)).body == BODY
    for status in statuses(daemon):
        assert status["Uid"].split() == [str(NOBODY.pw_uid)] * 4
        assert status["NoNewPrivs"] == "1"


def free_low_port():
    """A port that only root and its like may bind, or None."""
    for port in range(1023, 600, -1):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    return None


def test_capability_to_bind_is_given_up(folder, start, certificates):
    port = free_low_port()
    daemon = start(run_as_nobody(folder, "+net_bind_service"),
                   listen=[{"address": f"127.0.0.1:{port}"}])
    assert daemon.address[1] == port
    assert fetch(daemon.address, HOST, tls_context(certificates)).body == BODY
    for status in statuses(daemon):
        assert {int(status[name], 16) for name in CAPABILITIES} == {0}


def test_low_port_without_capability(folder, certificates):
    port = free_low_port()
    process = start_and_fail(folder, {**keys(certificates),
                                      "listen": [{"address": f"127.0.0.1:{port}"}]},
                             run_as_nobody(folder))
    assert process.returncode == 3
    assert f"listen: '127.0.0.1:{port}' cannot be opened: Permission denied; ports below 1024 " \
        "need root, or CAP_NET_BIND_SERVICE" in process.stderr


def test_unix_sockets_are_the_users(folder, start):
    (folder / "run").mkdir()
    os.chown(folder / "run", NOBODY.pw_uid, NOBODY.pw_gid)
    control, local = folder / "run/control.sock", folder / "run/http.sock"
    daemon = start(control=str(control), listen=[{"address": f"unix:{local}", "tls": False}])
    for path, mode in ((control, 0o600), (local, 0o666)):
        status = path.stat()
        assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (NOBODY.pw_uid, mode)
    process = subprocess.run([PROGRAM, "-c", daemon.config_path, "--reload"], check=False,
                             timeout=PATIENCE_S)
    assert process.returncode == 0
    assert exchange(connect(str(local)), request(HOST, headers=["Connection: close"])).body == BODY
    daemon.stop()
    assert not list((folder / "run").iterdir())


# Hides system calls, as an older kernel or a container's filter does, and becomes the program.
HIDE = """
import ctypes, os, sys
library = ctypes.CDLL("libseccomp.so.2")
library.seccomp_init.restype = ctypes.c_void_p
allow, refuse_enosys = 0x7fff0000, 0x00050026
hidden, *command = sys.argv[1:]
rules = ctypes.c_void_p(library.seccomp_init(allow))
for name in hidden.split(","):
    number = library.seccomp_syscall_resolve_name(name.encode())
    assert library.seccomp_rule_add_array(rules, refuse_enosys, number, 0, None) == 0
assert library.seccomp_load(rules) == 0
os.execv(command[0], command)
"""


@pytest.mark.parametrize("hidden, feature", [
    ("landlock_create_ruleset", "Landlock"),
    ("landlock_restrict_self", "Landlock"),
    ("seccomp", "seccomp"),
])
def test_kernel_that_lacks_something(start, certificates, hidden, feature):
    daemon = start([sys.executable, "-c", HIDE, hidden])
    if is_instrumented(daemon):
        pytest.skip("the sandbox is off in this build")
    daemon.log.wait_for(f"warning: sandbox: {feature} is not available .")
    daemon.log.wait_for(f"info: sandbox: user nobody, no capabilities, .*no {feature}")
    assert fetch(daemon.address, HOST, tls_context(certificates)).body == BODY
    daemon.reload()


def test_files_are_written_below_state_alone(folder, start):
    """The unit tests try it; here, what the log and the kernel say."""
    state = folder / "state"
    daemon = start(state=str(state))
    if lacks(daemon, "Landlock"):
        pytest.skip("without Landlock there is no limit")
    daemon.log.wait_for(f"sandbox: the daemon may write files below '{state}'$")
    daemon.stop()
    daemon = start()
    daemon.log.wait_for("ready: ")
    assert not daemon.log.find("may write")


def test_sandbox_off(start, certificates):
    daemon = start(sandbox="off")
    daemon.log.wait_for("sandbox: user nobody, no capabilities, no Landlock, no seccomp")
    assert {status["Seccomp"] for status in statuses(daemon)} == {"0"}
    assert fetch(daemon.address, HOST, tls_context(certificates)).body == BODY


@pytest.mark.parametrize("key, value", [("user", "root"), ("sandbox", "off")])
def test_keys_that_need_a_restart(start, certificates, key, value):
    daemon = start()
    daemon.reload({**keys(certificates), key: value}, wanted="refused")
    daemon.log.wait_for(f"'{key}' has changed, which needs a restart")


def test_included_file_may_change_and_come(folder, start, certificates):
    domains = folder / "domains.d"
    domains.mkdir()
    (domains / "a.yaml").write_text("domains: {example.net: {mx: [mx.example.net]}}")
    daemon = start(include=["domains.d/*.yaml"])
    (domains / "b.yaml").write_text("domains: {example.info: {mx: [mx.example.info]}}")
    daemon.reload()
    daemon.log.wait_for("4 domains: 1 added, 0 removed, 0 changed")
    assert fetch(daemon.address, HOST, tls_context(certificates)).body == BODY


@pytest.mark.parametrize("key, wanted", [
    ("include", "limited to files below .* if the file is elsewhere, restart the daemon"),
    ("certificates", "needs files below '.*', which the sandbox does not allow: .* restart the daemon"),
])
def test_files_outside_of_the_sandbox(start, certificates, key, wanted):
    daemon = start()
    if lacks(daemon, "Landlock"):
        pytest.skip("without Landlock any file may be read")
    with tempfile.TemporaryDirectory(prefix="mta-stsd-") as name:
        outside = pathlib.Path(name)
        outside.chmod(0o755)
        (outside / "a.yaml").write_text("domains: {example.net: {mx: [mx.example.net]}}")
        value = {"include": [f"{outside}/*.yaml"],
                 "certificates": [{"chain": f"{outside}/{{host}}.pem"}]}[key]
        daemon.reload({**keys(certificates), key: value}, wanted="refused")
    daemon.log.wait_for(wanted)
    assert fetch(daemon.address, HOST, tls_context(certificates)).body == BODY
    daemon.reload(keys(certificates))


def test_directory_that_another_one_replaces(folder, start, certificates):
    shutil.copytree(certificates.folder / "live", folder / "certs")
    os.chown(folder / "certs" / HOST / "privkey.pem", NOBODY.pw_uid, NOBODY.pw_gid)
    # The configuration in another folder, or all of the first one could be read.
    (folder / "etc").mkdir()
    with Daemon(folder / "etc", {**keys(certificates), "certificates": [
            {"chain": f"{folder}/certs/{{host}}/fullchain.pem",
             "key": f"{folder}/certs/{{host}}/privkey.pem"}]}) as daemon:
        if lacks(daemon, "Landlock"):
            pytest.skip("without Landlock any file may be read")
        context = tls_context(certificates)
        assert fetch(daemon.address, HOST, context).body == BODY
        (folder / "certs").rename(folder / "away")
        daemon.reload()
        daemon.log.wait_for(f"{HOST}: .*the certificate read before stays in use")
        (folder / "away").rename(folder / "certs")
        daemon.reload()
        assert not daemon.log.find("another directory has replaced")
        (folder / "certs").rename(folder / "away")
        shutil.copytree(folder / "away", folder / "certs")
        daemon.reload()
        daemon.log.wait_for(f"another directory has replaced '{folder}/certs'")
        assert fetch(daemon.address, HOST, context).body == BODY


# Binds as systemd would, writes into the configuration what was bound, and becomes the program.
ACTIVATE = """
import os, pathlib, socket, sys
*addresses, program, option, path = sys.argv[1:]
text = pathlib.Path(path).read_text()
for fd, address in enumerate(addresses, 3):
    unix = address.startswith("/")
    listener = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
    listener.bind(address if unix else (address, 0))
    listener.listen()
    os.dup2(listener.fileno(), fd)
    os.set_inheritable(fd, True)
    if not unix:
        text = text.replace("PORT", str(listener.getsockname()[1]), 1)
        print("bound", listener.getsockname()[1], file=sys.stderr, flush=True)
    listener.detach()
pathlib.Path(path).write_text(text)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(addresses)))
os.execv(program, [program, option, path])
"""


def activate(*addresses):
    return [sys.executable, "-c", ACTIVATE, *map(str, addresses)]


def test_sockets_of_systemd(folder, start, certificates):
    (folder / "run").mkdir()
    os.chown(folder / "run", NOBODY.pw_uid, NOBODY.pw_gid)  # who could remove it
    local = folder / "run/passed.sock"
    daemon = start(activate("127.0.0.1", local),
                   listen=[{"address": f"unix:{local}", "tls": False},
                           {"address": "127.0.0.1:PORT"}, {"address": "127.0.0.1:0"}])
    passed, tcp, own = daemon.addresses
    assert daemon.log.find(f"bound {tcp[1]}$")
    assert own[1] != tcp[1]
    for _ in range(20):  # whichever worker takes it
        for address in (tcp, own):
            assert fetch(address, HOST, tls_context(certificates)).body == BODY
        assert exchange(connect(passed),
                        request(HOST, headers=["Connection: close"])).body == BODY
    daemon.reload()
    daemon.stop()
    assert local.exists()  # systemd's, who listens there still


@pytest.mark.parametrize("address", ["127.0.0.1", "passed.sock"])
def test_socket_of_systemd_that_nothing_is_for(folder, certificates, address):
    address = str(folder / address) if address.endswith("sock") else address
    process = start_and_fail(folder, keys(certificates), activate(address))
    assert process.returncode == 3
    wanted = f"unix:{address}" if address.startswith("/") else f"{address}:"
    assert f"systemd has passed a socket bound to '{wanted}" in process.stderr


def test_sockets_passed_to_another_process(start):
    start(["env", "LISTEN_PID=1", "LISTEN_FDS=1"])


@pytest.mark.parametrize("is_abstract", [False, True], ids=["path", "abstract"])
def test_systemd_is_told(folder, start, certificates, is_abstract):
    name = f"{folder}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name if is_abstract else name)
        manager.settimeout(PATIENCE_S)

        def told():
            return manager.recv(4096).decode().split("\n")

        daemon = start(["env", f"NOTIFY_SOCKET={'@' if is_abstract else ''}{name}"])
        assert told() == ["READY=1", "STATUS=serving 2 domains"]
        for settings, wanted, status in (
                (keys(certificates), "reloaded '", "serving 2 domains"),
                ("domains: {", "refused", "serving 2 domains; the last reload was refused"),
                (keys(certificates), "reloaded '", "serving 2 domains")):
            daemon.reload(settings, wanted)
            begin, stamp = told()
            assert begin == "RELOADING=1" and int(stamp.removeprefix("MONOTONIC_USEC=")) > 0
            assert told() == ["READY=1", f"STATUS={status}"]
        daemon.stop()
        assert told() == ["STOPPING=1", "STATUS=shutting down, waiting for open connections"]
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):
            told()


def test_watchdog_of_systemd(folder, start):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"{folder}/notify")
        manager.settimeout(PATIENCE_S)
        start(["env", f"NOTIFY_SOCKET={folder}/notify", "WATCHDOG_USEC=30000000"])
        assert [manager.recv(4096).decode().split("\n")[0] for _ in range(3)] == \
            ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]


def test_systemd_that_cannot_be_told(folder, start):
    daemon = start(["env", f"NOTIFY_SOCKET={folder}/nobody-there"])
    daemon.log.wait_for("warning: NOTIFY_SOCKET: .* cannot be told that the daemon is ready")
