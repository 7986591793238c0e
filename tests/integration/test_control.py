# SPDX-License-Identifier: MIT
"""--reload, --health and what --print-dns asks: the control socket from both of its ends."""

import contextlib
import json
import os
import select
import signal
import socket
import stat
import subprocess
import threading

import pytest

from client import (connect_tls, exchange, fetch, policy_body, policy_id, read_all, request,
                    tls_context)
from daemon import IS_SANITIZED, PATIENCE_S, PROGRAM, Daemon, run, write_configuration
from operated import (HOST, Operated, configuration, operate_in_test, spawner,  # noqa: F401
                      wait_until)

GOOD, FINDINGS, USAGE, FAILED = range(4)
OWN_RUN = 'mount -t tmpfs tmpfs /run; mkdir -m 777 /run/mta-stsd; exec "$@"'


def many(count, **keys):
    return {f"d{i}.example": {"mx": ["mx.example.com"], **keys} for i in range(count)}


def assert_answer(process, status, *texts):
    output = process.stdout.decode() + process.stderr.decode()
    assert process.returncode == status, output
    for text in texts:
        assert text in output
    return output


@pytest.mark.parametrize("mode", ["--health", "--reload"])
def test_configuration_that_never_ends(tmp_path, mode):
    """A pipe that nobody writes to holds up neither of them."""
    os.mkfifo(tmp_path / "pipe")
    assert_answer(run(mode, "-c", str(tmp_path / "pipe")), FAILED, "is not a regular file")


@pytest.mark.parametrize("before, after, lines", [
    ({"example.com": {"mx": ["a.example"]}}, {"example.com": {"mx": ["a.example"]}},
     ["1 domain: 0 added, 0 removed, 0 changed"]),
    ({"example.com": {"mx": ["a.example"]}},
     {"example.com": {"mx": ["a.example"]}, "example.org": {"mx": ["a.example"]}},
     ["added: example.org; mode testing; id ", "2 domains: 1 added, 0 removed, 0 changed",
      "publish the new records now: mta-stsd --print-dns"]),
    ({"example.com": {"mx": ["a.example"]}, "example.net": {"mode": "none"},
      "example.org": {"mode": "none"}},
     {"example.com": {"mx": ["a.example"]}, "example.net": {"mode": "none"}},
     ["removed: example.org (none)", "2 domains: 0 added, 1 removed, 0 changed"]),
    ({"example.com": {"mx": ["a.example"]}, "example.net": {"mode": "none"},
      "example.org": {"mx": ["a.example"], "mode": "enforce", "max_age": "2w"}},
     {"example.com": {"mx": ["a.example"]}, "example.net": {"mode": "none"}},
     ["removed: example.org (enforce)", "risk: senders may enforce its policy until "]),
    ({"example.com": {"mx": ["a.example", "b.example"], "mode": "enforce", "max_age": "4w"}},
     {"example.com": {"mx": ["b.example"], "mode": "enforce", "max_age": "4w"}},
     ["changed: example.com; mx removed under enforce: a.example; id ",
      "1 domain: 0 added, 0 removed, 1 changed"]),
    ({"example.com": {"mx": ["a.example"]}}, {"example.com": {"mx": ["a.example"],
                                                               "mode": "enforce"}},
     ["changed: example.com; mode testing -> enforce; id "]),
])
def test_reload_prints_the_difference(operate, pki, tmp_path, before, after, lines):
    daemon = operate(configuration(pki, tmp_path, before))
    assert_answer(daemon.change(configuration(pki, tmp_path, after)), GOOD, *lines)
    for line in lines:
        daemon.log.wait_for(line.replace("(", r"\(").replace(")", r"\)"))


def test_dry_run(operate, pki, tmp_path):
    """It says what a reload would change and what that risks, and changes nothing."""
    before = {"example.com": {"mx": ["a.example", "b.example"], "mode": "enforce"}}
    daemon = operate(configuration(pki, tmp_path, before))
    body = fetch(daemon.address, HOST, tls_context(pki)).body
    after = {"example.com": {"mx": ["b.example"], "mode": "enforce"}}
    n_lines = len(daemon.log.lines)
    assert_answer(daemon.change(configuration(pki, tmp_path, after), "--dry-run"), GOOD,
                  "mx removed under enforce: a.example",
                  "risk: senders that fetch the new policy refuse the removed mx",
                  "dry run: nothing was changed")
    assert fetch(daemon.address, HOST, tls_context(pki)).body == body
    assert_answer(daemon.change(configuration(pki, tmp_path, {"example.com": {"mode": "enforced"}}),
                                "--dry-run"), USAGE,
                  "error: ")
    assert daemon.metric("config_last_reload_successful") == 1
    assert daemon.metric('config_reloads_total{result="refused"}') == 0
    assert not daemon.log.find("reload", n_lines)
    assert_answer(daemon.ask("--reload", "--dry-run", "--force"), USAGE, "do not go together")
    assert_answer(daemon.change(configuration(pki, tmp_path, after)), GOOD, "changed: example.com")


def test_printed_id_is_the_one_to_publish(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path))
    body = policy_body("mx2.example.com")
    assert_answer(daemon.change(configuration(
        pki, tmp_path, {"example.com": {"mx": ["mx2.example.com"]}})), GOOD, policy_id(body))
    assert fetch(daemon.address, HOST, tls_context(pki)).body == body


@pytest.mark.parametrize("keys", [
    {"listen": [{"address": "127.0.0.1:0"}, {"address": "127.0.0.2:0"}]},
    {"workers": 1},
    {"admin": "off"},
])
def test_reload_that_needs_a_restart(operate, pki, tmp_path, keys):
    daemon = operate(configuration(pki, tmp_path))
    changed = configuration(pki, tmp_path, {"example.com": {"mx": ["other.example"]}}, **keys)
    for arguments in [(), ("--force",)]:
        assert_answer(daemon.change(changed, *arguments), FINDINGS,
                      f"reload refused: '{next(iter(keys))}' has changed, which needs a restart; "
                      "the previous configuration stays in use")
    assert fetch(daemon.address, HOST, tls_context(pki)).body == policy_body("mx.example.com")


def test_another_control_socket_needs_a_restart(operate, pki, tmp_path):
    """--reload asks at the new path, where nobody answers: SIGHUP says why."""
    daemon = operate(configuration(pki, tmp_path))
    changed = configuration(pki, tmp_path, control=str(tmp_path / "other.sock"))
    assert_answer(daemon.change(changed), FAILED,
                  f"no daemon answers at '{tmp_path}/other.sock': No such file or directory; start it, "
                  "or name its configuration with -c; ", "SIGHUP reloads it")
    daemon.send_signal(signal.SIGHUP)
    daemon.log.wait_for("'control' has changed, which needs a restart")


@pytest.mark.parametrize("text, place", [
    ("domains: {example.com: {mx: [mx.example.com]}", ":3:1: error: "),
    ("domains:\n  example.com: {mx: [mx.example.com], mode: enforced}\n",
     ":3:45: error: domains.example.com.mode: 'enforced' "),
    ("domain:\n  example.com: {mx: [mx.example.com]}\n", ":2:1: error: 'domain' is not a key"),
    ("domains: {}\n", "error: "),
])
def test_broken_configuration(operate, pki, tmp_path, text, place):
    daemon = operate(configuration(pki, tmp_path))
    control = f"control: {tmp_path}/control.sock\n"
    output = assert_answer(daemon.change(control + text), USAGE, place,
                           "reload refused: 1 error; the previous configuration stays in use")
    assert "no daemon" not in output
    assert fetch(daemon.address, HOST, tls_context(pki)).body == policy_body("mx.example.com")
    assert_answer(daemon.change(configuration(pki, tmp_path)), GOOD)


def test_key_hidden_by_an_error(operate, pki, tmp_path):
    """What is broken before `control` hides where to ask; then the error is what helps."""
    daemon = operate(configuration(pki, tmp_path))
    text = f"domains: [example.com\ncontrol: {tmp_path}/control.sock\n"
    assert_answer(daemon.change(text), FAILED, "mta-stsd.yaml:2:", "[syntax]",
                  "no daemon answers at '/run/mta-stsd/control.sock'")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a /run of its own")
@pytest.mark.parametrize("name", ["no-such-file.yaml", "cut.yaml"])
def test_default_socket_is_named(pki, tmp_path, name):
    """Of a file that cannot be read nobody knows which daemon is meant: the answer may be another's."""
    settings = configuration(pki, tmp_path)
    del settings["control"]
    (tmp_path / "cut.yaml").write_text("domains: [example.com", encoding="utf-8")
    with Daemon(tmp_path, settings, ["unshare", "--mount", "sh", "-ec", OWN_RUN, "sh"]) as daemon:
        for path, said in ((tmp_path / name, f"mta-stsd: '{tmp_path / name}' cannot be read, or not all "
                            "of it (see --test-config), and the key 'control' was not found: asked the "
                            "daemon at '/run/mta-stsd/control.sock', the default\n"),
                           (daemon.config_path, "")):
            answer = subprocess.run(
                ["nsenter", "--mount", f"--target={daemon.process.pid}", PROGRAM, "-c", path,
                 "--health"], capture_output=True, text=True, check=True)
            assert (answer.stdout, answer.stderr) == ("serving\n", said)


def test_warnings_come_with_a_good_reload(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path))
    assert_answer(daemon.change(configuration(
        pki, tmp_path, {"example.com": {"mx": ["a.example"], "max_age": 3600}})), GOOD,
        "warning: domains.example.com.max_age", "1 changed")


@pytest.mark.parametrize("n_before, n_after, removed, is_refused", [
    (1, 0, "5%", True),       # 1 of 2
    (2, 1, "5%", False),      # one may leave where others stay
    (2, 1, "0%", True),
    (9, 7, "5%", True),       # a truncated file of a few
    (20, 10, "5%", True),
    (10, 0, "100%", False),
    (220, 209, "5%", False),  # 11 of 221: just below
    (219, 208, "5%", False),  # 11 of 220: 5 % and not more
    (218, 207, "5%", True),
    (20, 9, "100%", False),
])
def test_removal_guard(operate, pki, tmp_path, n_before, n_after, removed, is_refused):
    def settings(count):
        return configuration(pki, tmp_path, {"example.com": {"mx": ["mx.example.com"]},
                                             **many(count)}, limits={"removed": removed})

    daemon = operate(settings(n_before))
    n_removed = n_before - n_after
    process = daemon.change(settings(n_after))
    if not is_refused:
        assert_answer(process, GOOD, f"{n_removed} removed")
        return
    assert_answer(process, FINDINGS, f"reload refused: {n_removed} of {n_before + 1} domains would go, "
                  f"more than limits.removed ({removed}); if that is right, --reload --force")
    assert f"d{n_before - 1}.example" in daemon.converse(b"served\n").decode()
    assert_answer(daemon.ask("--reload", "--force"), GOOD, f"{n_removed} removed")
    assert f"d{n_before - 1}.example" not in daemon.converse(b"served\n").decode()


def test_removal_guard_counts_withdrawn_policies(operate, pki, tmp_path):
    withdrawn = {name: {"mta_sts": "false", "tls_rpt": ["mailto:tls@example.com"]}
                 for name in many(15)}
    daemon = operate(configuration(pki, tmp_path, many(15)))
    assert_answer(daemon.change(configuration(pki, tmp_path, withdrawn)), FINDINGS,
                  "15 domains: 0 added, 15 removed, 0 changed",
                  "reload refused: 15 of 15 domains would go")
    assert_answer(daemon.ask("--reload", "--force"), GOOD, "15 removed")


def test_signal_is_guarded_too(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path, many(20)))
    write_configuration(daemon.config_path, configuration(pki, tmp_path))
    daemon.send_signal(signal.SIGHUP)
    daemon.log.wait_for("reload refused: 20 of 20 domains would go")
    assert daemon.converse(b"served\n").count(b"\n") == 21


def test_every_worker_serves_it_when_reload_returns(operate, pki, tmp_path):
    context = tls_context(pki)
    daemon = operate(configuration(pki, tmp_path, workers=4))
    for max_age in range(100000, 100010):
        domains = {"example.com": {"mx": ["mx.example.com"], "max_age": max_age}}
        assert_answer(daemon.change(configuration(pki, tmp_path, domains, workers=4)), GOOD)
        for _ in range(12):
            assert fetch(daemon.address, HOST, context).body == \
                policy_body("mx.example.com", max_age=max_age)


def test_many_reloads_at_once(operate, pki, tmp_path):
    """Each is answered, and what was written last is served."""
    daemon = operate(configuration(pki, tmp_path))
    answers, threads = [], []
    max_ages = range(100000, 100020)
    for max_age in max_ages:
        write_configuration(daemon.config_path, configuration(
            pki, tmp_path, {"example.com": {"mx": ["mx.example.com"], "max_age": max_age}}))
        threads.append(threading.Thread(target=lambda: answers.append(daemon.ask("--reload"))))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20
    # One whose file was replaced in its midst says so; the one after it is there for the new file.
    for answer in answers:
        if b"try again" in answer.stdout:
            assert_answer(answer, USAGE, "reload refused: 1 error")
        else:
            assert_answer(answer, GOOD, "1 domain: ")
    assert fetch(daemon.address, HOST, tls_context(pki)).body == \
        policy_body("mx.example.com", max_age=max_ages[-1])


def test_socket_is_the_owners(operate, pki, tmp_path):
    before = os.umask(0)
    try:
        operate(configuration(pki, tmp_path))
    finally:
        os.umask(before)
    status = os.stat(tmp_path / "control.sock")
    assert stat.S_ISSOCK(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o600


def test_socket_is_gone_after_the_end(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path))
    daemon.stop()
    assert not (tmp_path / "control.sock").exists()


def test_socket_of_a_killed_daemon(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path))
    daemon.kill()
    assert (tmp_path / "control.sock").exists()
    assert_answer(daemon.ask("--health"), FAILED, "no daemon answers at")
    assert_answer(operate(configuration(pki, tmp_path)).ask("--health"), GOOD, "serving")


def test_second_daemon_is_refused(operate, pki, tmp_path):
    first = operate(configuration(pki, tmp_path))
    second = run("-c", first.config_path)
    assert_answer(second, FAILED, f"control: '{tmp_path}/control.sock' cannot be opened: "
                                  "Address already in use; another mta-stsd is running, and "
                                  "'mta-stsd --health' reaches it")
    assert_answer(first.ask("--health"), GOOD)


def test_file_in_place_of_the_socket_stays(pki, tmp_path):
    """A typing error in `control` must not cost a file."""
    precious = tmp_path / "control.sock"
    precious.write_text("precious")
    config = write_configuration(tmp_path / "mta-stsd.yaml", configuration(pki, tmp_path))
    assert_answer(run("-c", config), FAILED, f"control: '{precious}' cannot be opened: ")
    assert precious.read_text() == "precious"


@pytest.mark.parametrize("path, reason", [
    ("{}/missing/control.sock", "No such file or directory"),
    ("/proc/control.sock", ""),
])
def test_socket_that_cannot_be_opened(pki, tmp_path, path, reason):
    path = path.format(tmp_path)
    config = write_configuration(tmp_path / "mta-stsd.yaml",
                                 configuration(pki, tmp_path, control=path))
    assert_answer(run("-c", config), FAILED, f"control: '{path}' cannot be opened: {reason}")


def test_health(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path, shutdown_delay="1h"))
    assert_answer(daemon.ask("--health"), GOOD, "serving")
    daemon.send_signal(signal.SIGTERM)
    wait_until(lambda: daemon.ask("--health").returncode == FINDINGS, "ending")
    assert_answer(daemon.ask("--health"), FINDINGS, "ending")
    assert fetch(daemon.address, HOST, tls_context(pki)).status == 200
    daemon.stop()
    assert_answer(daemon.ask("--health"), FAILED, "no daemon answers at")


def test_reload_while_ending_is_answered(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path, shutdown_delay="1h"))
    daemon.send_signal(signal.SIGTERM)
    wait_until(lambda: daemon.ask("--health").returncode == FINDINGS, "ending")
    assert_answer(daemon.ask("--reload"), FINDINGS, "ending")
    daemon.stop()


@pytest.mark.parametrize("question, answer", [
    (b"health\n", b"good\nserving\n"),
    (b"health\nhealth\n", b"good\nserving\n"),
    (b"\n", b"refused\nunknown command\n"),
    (b"HEALTH\n", b"refused\nunknown command\n"),
    (b"health\r\n", b"refused\nunknown command\n"),
    (b"heal\0th\n", b"refused\nunknown command\n"),
    (b"health\0\n", b"refused\nunknown command\n"),
    (b"x" * 62 + b"\n", b"refused\nunknown command\n"),
    (b"x" * 63 + b"\n", b"refused\nunknown command\n"),
    (b"x" * 64, b"refused\nunknown command\n"),
    (b"\0" * 64, b"refused\nunknown command\n"),
    (b"\xff" * 1000000, b"refused\nunknown command\n"),
], ids=lambda value: repr(value[:16]))
def test_questions(operate, pki, tmp_path, question, answer):
    daemon = operate(configuration(pki, tmp_path))
    assert daemon.converse(question) == answer
    assert daemon.converse(b"health\n") == b"good\nserving\n"


@contextlib.contextmanager
def clients(folder, count, question=b""):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(count)]
        for client in sockets:
            client.connect(str(folder / "control.sock"))
            client.settimeout(PATIENCE_S)
            client.sendall(question)
        yield sockets


def is_left(client):
    """Whether the daemon has closed its end, whatever is there still to read."""
    poll = select.poll()
    poll.register(client, 0)
    return any(events & select.POLLHUP for _, events in poll.poll(0))


def test_clients_that_say_nothing(operate, pki, tmp_path):
    """Who asks gets the place of the oldest of them, however many there are."""
    daemon = operate(configuration(pki, tmp_path))
    with clients(tmp_path, 100) as silent:
        assert fetch(daemon.address, HOST, tls_context(pki)).status == 200
        assert_answer(daemon.ask("--health"), GOOD)
        assert_answer(daemon.ask("--reload"), GOOD)
        assert silent[0].recv(1) == b""
        silent[-1].sendall(b"health\n")
        assert silent[-1].recv(100) == b"good\nserving\n"


def test_deadlines_of_clients(operate, pki, tmp_path):
    """To ask and to read an answer takes no time; a reload may."""
    daemon = operate(configuration(pki, tmp_path, many(20000)))
    with clients(tmp_path, 3) as silent, clients(tmp_path, 3, b"served\n") as deaf, \
            clients(tmp_path, 1) as (waiting,):
        os.kill(spawner(daemon), signal.SIGSTOP)
        try:
            silent[0].sendall(b"heal")
            waiting.sendall(b"reload\n")
            assert [client.recv(1) for client in silent] == 3 * [b""]
            wait_until(lambda: all(map(is_left, deaf)), "those who do not read are given up")
        finally:
            os.kill(spawner(daemon), signal.SIGCONT)
        assert waiting.recv(5) == b"good\n"
        # What the kernel had taken of the answers is less than all.
        assert all(len(read_all(client)) < 20000 * 40 for client in deaf)
    assert daemon.converse(b"served\n").count(b"\n") == 20001


@pytest.mark.skipif(IS_SANITIZED, reason="it has a heap of its own kind")
def test_memory_for_answers_that_nobody_reads(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path, many(50000)))
    before = daemon.memory_kb()
    with clients(tmp_path, 63, b"served\n"):
        for _ in range(20):
            assert_answer(daemon.ask("--health"), GOOD)
        # One text of 2.2 MB, and not one for each.
        assert daemon.memory_kb() < before + 12 * 1024


def test_text_that_outlives_its_snapshot(operate, pki, tmp_path):
    """Each reader gets one configuration's ids, and who asks after a reload gets the new ones."""
    daemon = operate(configuration(pki, tmp_path, many(20000)))
    with clients(tmp_path, 2, b"served\n") as old:
        assert [client.recv(5) for client in old] == 2 * [b"good\n"]
        assert_answer(daemon.change(configuration(pki, tmp_path, many(20000, max_age="2d"))), GOOD)
        new = daemon.converse(b"served\n")
        texts = [read_all(client) for client in old]
    old_id, new_id = (policy_id(policy_body("mx.example.com", max_age=max_age)).encode()
                      for max_age in (604800, 172800))
    assert texts[0] == texts[1] and texts[0].count(old_id) == new.count(new_id) == 20000


def test_client_that_leaves_in_a_reload(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path))
    for _ in range(20):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "control.sock"))
            client.sendall(b"reload\n")
    assert_answer(daemon.ask("--reload"), GOOD)


def test_client_that_does_not_read(operate, pki, tmp_path):
    daemon = operate(configuration(pki, tmp_path, many(5000)))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "control.sock"))
        client.sendall(b"served\n")
        assert daemon.converse(b"health\n") == b"good\nserving\n"
        assert daemon.converse(b"served\n").count(b"\n") == 5001


def print_dns(daemon, *arguments):
    process = daemon.ask("--print-dns=json", *arguments)
    return process, {record["name"] for record in json.loads(process.stdout)
                     if record["name"].startswith("_mta-sts.") and not record["withheld"]}


def test_unserved_ids(operate, pki, tmp_path):
    keys = {"policy_host": {"name": "policy.provider.example"}}
    domains = {"example.com": {"mx": ["mx.example.com"]}, "example.org": {"mx": ["mx.example.org"]}}
    daemon = operate(configuration(pki, tmp_path, domains, **keys))
    process, names = print_dns(daemon)
    assert len(names) == 2 and b"does not serve" not in process.stderr

    domains["example.org"] = {"mx": ["mx2.example.org"]}
    write_configuration(daemon.config_path, configuration(pki, tmp_path, domains, **keys))
    new_id = policy_id(policy_body("mx2.example.org"))
    warning = f"example.org: the running daemon does not serve id {new_id} yet; publish it after " \
              "--reload"
    process, names = print_dns(daemon)
    assert warning in process.stderr.decode() and len(names) == 2
    assert "example.com" not in process.stderr.decode()
    process, names = print_dns(daemon, "--served")
    assert names == {"_mta-sts.example.com"}
    assert_answer(daemon.ask("--reload"), GOOD)
    process, names = print_dns(daemon, "--served")
    assert len(names) == 2 and b"does not serve" not in process.stderr


def test_served_without_a_daemon(pki, tmp_path):
    config = write_configuration(tmp_path / "mta-stsd.yaml", configuration(
        pki, tmp_path, policy_host={"name": "policy.provider.example"}))
    assert_answer(run("-c", config, "--print-dns"), GOOD, "_mta-sts")
    assert_answer(run("-c", config, "--print-dns", "--served"), FAILED, "no daemon answers")


def test_fetches_during_reloads(operate, pki, tmp_path):
    """No answer is lost or mixed while configurations come and go."""
    context = tls_context(pki)
    daemon = operate(configuration(pki, tmp_path))
    bodies = {policy_body("mx.example.com", max_age=max_age) for max_age in (100000, 200000)}
    domains = [{"example.com": {"mx": ["mx.example.com"], "max_age": max_age}}
               for max_age in (100000, 200000)]
    assert_answer(daemon.change(configuration(pki, tmp_path, domains[0])), GOOD)
    done = threading.Event()
    seen = []

    def fetch_on():
        while not done.is_set():
            connection = connect_tls(daemon.address, HOST, context)
            seen.append(exchange(connection, request(HOST)).body)

    threads = [threading.Thread(target=fetch_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    for i in range(20):
        assert_answer(daemon.change(configuration(pki, tmp_path, domains[i % 2])), GOOD)
    done.set()
    for thread in threads:
        thread.join()
    assert set(seen) <= bodies and len(seen) > 20
