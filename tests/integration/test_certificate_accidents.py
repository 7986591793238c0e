# SPDX-License-Identifier: MIT
"""Accidents with certificates: each ends in a clear sentence, and what was served goes on."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time

import pytest

from client import fetch, tls_context
from daemon import IS_TSAN, write_configuration
from operated import HOST, configuration, operate_in_test, wait_until  # noqa: F401
from pki import leaf_of, openssl

OTHER_HOST = "mta-sts.example.org"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")


def own_source(folder):
    return {"chain": f"{folder}/{{host}}/chain.pem", "key": f"{folder}/{{host}}/key.pem"}


def leaf(daemon, pki, host=HOST):
    return fetch(daemon.address, host, tls_context(pki)).certificate


def states(daemon):
    """The certificates by state, without the zeros."""
    return {re.search('"(.*)"', name)[1]: int(value) for name, value in daemon.metrics().items()
            if name.startswith("certificates{") and value}


def test_key_first_and_chain_later(operate, pki, tmp_path):
    """certbot replaces one file after the other; the time between may be long."""
    folder = tmp_path / "live" / HOST
    old_chain, _ = pki.issue(folder, HOST)
    old = leaf_of(old_chain)
    new_chain, new_key = pki.issue(tmp_path / "new", HOST)
    daemon = operate(configuration(pki, tmp_path, certificates=[own_source(tmp_path / "live")]))
    assert leaf(daemon, pki) == old
    shutil.copy(new_key, folder / "key.pem")
    assert daemon.ask("--reload").returncode == 0
    daemon.log.wait_for("the certificate read before stays in use")
    assert leaf(daemon, pki) == old
    shutil.copy(new_chain, folder / "chain.pem")
    assert daemon.ask("--reload").returncode == 0
    daemon.log.wait_for("a certificate valid until .* is in use")
    wait_until(lambda: leaf(daemon, pki) == leaf_of(new_chain), "the new certificate")


def test_lineage_with_a_number(operate, pki, tmp_path):
    """certbot has made <host>-0001 and renews that; what it left behind expires and is named."""
    live = tmp_path / "live"
    pki.issue(live / HOST, HOST, days=-1)
    pki.issue(live / f"{HOST}-0001", HOST)
    daemon = operate(configuration(pki, tmp_path, certificates=[own_source(live)]))
    daemon.log.wait_for(f"{HOST}: {live}/{HOST}/chain.pem: .*expired")
    wait_until(lambda: states(daemon) == {"expired": 1}, "counted")
    # The cure, in one line: what is newest and valid, whatever number it has.
    pki.issue(live / f"{HOST}-0002", HOST, days=-1)
    assert daemon.change(configuration(pki, tmp_path, certificates=[
        {"chain": f"{live}/{{host}}*/chain.pem", "key": f"{live}/{{host}}*/key.pem"}])
    ).returncode == 0
    assert leaf(daemon, pki) == leaf_of(live / f"{HOST}-0001" / "chain.pem")
    wait_until(lambda: states(daemon) == {"ok": 1}, "counted")


def test_chain_without_its_intermediate(operate, pki, tmp_path):
    folder = tmp_path / "live" / HOST
    chain, _ = pki.issue(folder, HOST)
    whole = chain.read_text()
    write_configuration(chain, whole[:whole.index("-----END CERTIFICATE-----") + 26])
    daemon = operate(configuration(pki, tmp_path, certificates=[own_source(tmp_path / "live")]))
    daemon.log.wait_for(f"{HOST}: {chain}: .*intermediate")
    wait_until(lambda: states(daemon) == {"chain": 1}, "counted")
    assert leaf_of(chain) == fetch(daemon.address, HOST, tls_context()).certificate
    write_configuration(chain, whole)
    assert daemon.ask("--reload").returncode == 0
    wait_until(lambda: states(daemon) == {"ok": 1}, "counted")


def test_key_of_a_kind_that_no_sender_takes(operate, pki, tmp_path):
    """Seen by all who look, before a sender is: a handshake was tried as the files were read."""
    folder = tmp_path / "live" / HOST
    pki.issue(folder, HOST, kind="ed448")
    daemon = operate(configuration(pki, tmp_path, certificates=[own_source(tmp_path / "live")]))
    why = f"{HOST}: {folder}/chain.pem: senders cannot use the certificate: "
    daemon.log.wait_for(why + ".*no suitable signature algorithm")
    wait_until(lambda: states(daemon) == {"unusable": 1}, "counted")
    assert not answers(daemon, pki, HOST)
    daemon.log.wait_for(f"refused: no certificate for '{HOST}' can be used")
    assert b"[certificate-unusable]" in daemon.ask("--test-config").stdout
    assert b"withheld: _mta-sts.example.com." in daemon.ask("--print-dns").stdout
    wanted = leaf_of(pki.issue(folder, HOST)[0])
    assert daemon.ask("--reload").returncode == 0
    wait_until(lambda: answers(daemon, pki, HOST), "served")
    pki.issue(folder, HOST, kind="ed448")
    assert daemon.ask("--reload").returncode == 0
    daemon.log.wait_for(why + ".*; the certificate read before stays in use")
    assert leaf(daemon, pki) == wanted


@pytest.mark.parametrize("issuer", ["ca", "intermediate"])
def test_root_that_is_trusted_or_not(operate, pki, tmp_path, monkeypatch, issuer):
    """Nothing is missing. The trust store is read before the sandbox shuts it out."""
    chain, _ = pki.issue(tmp_path / "live" / HOST, HOST, issuer=issuer)
    settings = configuration(pki, tmp_path, certificates=[own_source(tmp_path / "live")])
    daemon = operate(settings)
    wait_until(lambda: states(daemon) == {"ok": 1}, "counted")
    assert b"certificate-" not in daemon.ask("--test-config").stdout
    daemon.stop()
    monkeypatch.delenv("SSL_CERT_FILE")
    daemon = operate(settings)
    daemon.log.wait_for(f"{HOST}: {chain}: its chain leads to no root that this system trusts")
    wait_until(lambda: states(daemon) == {"untrusted": 1}, "counted")
    assert b"certificate-untrusted" in daemon.ask("--test-config").stdout


def test_directory_that_vanishes_and_comes_back(operate, pki, tmp_path):
    """A file system that is not mounted must not look like certificates that are gone."""
    live, away = tmp_path / "live", tmp_path / "away"
    wanted = leaf_of(pki.issue(live / HOST, HOST)[0])
    pki.issue(live / OTHER_HOST, OTHER_HOST)
    daemon = operate(configuration(pki, tmp_path, {
        "example.com": {"mx": ["mx.example.com"]}, "example.org": {"mode": "none"}},
        certificates=[own_source(live)]))
    assert leaf(daemon, pki) == wanted
    live.rename(away)
    assert daemon.ask("--reload").returncode == 0
    daemon.log.wait_for(f"certificates: '{live}' cannot be listed: No such file or directory")
    daemon.log.wait_for(f"{HOST}: .*the certificate read before stays in use")
    assert leaf(daemon, pki) == wanted
    assert daemon.ask("--print-dns").returncode == 3
    with pytest.raises(OSError):  # never asked for before, so never read
        leaf(daemon, pki, OTHER_HOST)
    away.rename(live)
    assert daemon.ask("--reload").returncode == 0
    wait_until(lambda: states(daemon) == {"ok": 2}, "counted")
    wait_until(lambda: answers(daemon, pki, OTHER_HOST), "served")
    assert leaf(daemon, pki) == wanted


def answers(daemon, pki, host):
    try:
        return fetch(daemon.address, host, tls_context(pki)).status == 200
    except (OSError, ValueError):  # ended in the handshake, or right after
        return False


def test_certificate_of_tomorrow(operate, pki, tmp_path):
    """An authority's clock, or ours, is wrong: senders will refuse it, and the log says why."""
    folder = tmp_path / "live" / HOST
    chain, _ = pki.issue(folder, HOST)
    (folder / "index").write_text("")
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca = it\n[it]\ndatabase = {folder}/index\nnew_certs_dir = {folder}\n"
        f"rand_serial = yes\ndefault_md = sha256\npolicy = any\ncopy_extensions = none\n"
        f"[any]\ncommonName = supplied\n")
    openssl("ca", "-batch", "-config", folder / "ca.cnf", "-in", folder / "request.pem",
            "-cert", pki.folder / "intermediate.pem", "-keyfile", pki.folder / "intermediate.key",
            "-startdate", "20900101000000Z", "-enddate", "20910101000000Z", "-notext",
            "-extfile", folder / "extensions.cnf", "-out", chain)
    with chain.open("a") as out:
        out.write((pki.folder / "intermediate.pem").read_text())
    daemon = operate(configuration(pki, tmp_path, certificates=[own_source(tmp_path / "live")]))
    daemon.log.wait_for(f"{HOST}: {chain}: .*not (yet )?valid.*2090")
    wait_until(lambda: states(daemon) == {"not-yet-valid": 1}, "counted")
    assert leaf_of(chain) == fetch(daemon.address, HOST, tls_context()).certificate


def test_one_certificate_for_many_hosts(operate, pki, tmp_path):
    names = [f"d{i}.example" for i in range(60)]
    chain, key = pki.issue(tmp_path / "shared", *(f"mta-sts.{name}" for name in names[:50]))
    daemon = operate(configuration(pki, tmp_path, {name: {"mode": "none"} for name in names},
                                   certificates=[{"chain": str(chain), "key": str(key)}]))
    for name in names[:50:7]:
        assert leaf(daemon, pki, f"mta-sts.{name}") == leaf_of(chain)
    with pytest.raises(OSError):
        leaf(daemon, pki, f"mta-sts.{names[50]}")
    wait_until(lambda: states(daemon).get("ok") == 50, "counted")
    assert len(daemon.log.find(r"mta-sts\.d5\d\.example: ")) >= 10


@pytest.fixture(name="live_of_nobody")
def certificates_of_nobody(pki):
    """Certificates for both hosts, in folders that are nobody's; pytest's own are root's alone."""
    with tempfile.TemporaryDirectory(prefix="mta-stsd-") as name:
        os.chmod(name, 0o755)
        live = pathlib.Path(name) / "live"
        for host in (HOST, OTHER_HOST):
            pki.issue(live / host, host)
        subprocess.run(["chown", "-R", "nobody", live], check=True, timeout=60)
        yield live


@needs_root
def test_directory_that_may_not_be_read(operate, pki, live_of_nobody):
    """By the user that the daemon has become: root may read all."""
    live = live_of_nobody
    wanted = leaf_of(live / HOST / "chain.pem")
    daemon = operate(configuration(
        pki, live.parent, {"example.com": {"mx": ["mx.example.com"]},
                           "example.org": {"mode": "none"}},
        certificates=[own_source(live)], user="nobody"), folder=live.parent)
    assert leaf(daemon, pki) == wanted
    live.chmod(0)
    assert daemon.ask("--reload").returncode == 0
    daemon.log.wait_for(f"certificates: '{live}' cannot be listed: Permission denied")
    daemon.log.wait_for(f"{HOST}: {live}/{HOST}/chain.pem: cannot be read: Permission denied; "
                        "the certificate read before stays in use")
    wait_until(lambda: states(daemon) == {"ok": 1, "unreadable": 1}, "counted")
    assert leaf(daemon, pki) == wanted
    assert not answers(daemon, pki, OTHER_HOST)  # never asked for before, so never read
    live.chmod(0o755)
    assert daemon.ask("--reload").returncode == 0
    wait_until(lambda: states(daemon) == {"ok": 2}, "counted")
    wait_until(lambda: answers(daemon, pki, OTHER_HOST), "served")
    assert leaf(daemon, pki) == wanted


def test_pipe_in_place_of_a_file(operate, pki, tmp_path):
    """Nobody writes to it; who reads waits for nothing, and the end does not either."""
    folder = tmp_path / "live" / HOST
    pki.issue(folder, HOST)
    (folder / "key.pem").unlink()
    os.mkfifo(folder / "key.pem")
    daemon = operate(configuration(pki, tmp_path, certificates=[own_source(tmp_path / "live")]))
    assert not answers(daemon, pki, HOST)
    daemon.log.wait_for(f"{HOST}: {folder}/key.pem: is not a regular file")
    daemon.log.wait_for(f"refused: no certificate for '{HOST}' can be used")


SLOW = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static void dawdle(const char *path)
{
    if (strstr(path, "slow.example"))
        usleep(1300000);
    while (strstr(path, "hangs.example"))
        pause();
}
int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    dawdle(path);
    return ((int (*)(const char *, int, mode_t))dlsym(RTLD_NEXT, "open"))(path, flags, mode);
}
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int stat(const char *path, struct stat *status)
{
    dawdle(path);
    return ((int (*)(const char *, struct stat *))dlsym(RTLD_NEXT, "stat"))(path, status);
}
"""


@pytest.fixture(name="slow_library", scope="session")
def build_slow_library(tmp_path_factory):
    """Makes every look at a path with slow.example in it take more than a second."""
    folder = tmp_path_factory.mktemp("slow")
    (folder / "slow.c").write_text(SLOW)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "slow.so", folder / "slow.c", "-ldl"],
                   check=True, timeout=60)
    return folder / "slow.so"


def slowly(slow_library):
    return ["env", f"LD_PRELOAD={slow_library}",
            "ASAN_OPTIONS=verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")]


@pytest.mark.skipif(IS_TSAN, reason="TSan's own open() comes first")
def test_scan_of_slow_storage(operate, pki, tmp_path, slow_library):
    """A host that takes longer than a slice of the scan does not begin the scan anew each time."""
    live = tmp_path / "live"
    domains = [f"{label}.slow.example" for label in "ab"]
    for domain in domains:
        pki.issue(live / f"mta-sts.{domain}", f"mta-sts.{domain}")
    daemon = operate(
        configuration(pki, tmp_path, {domain: {"mode": "none"} for domain in domains},
                      certificates=[own_source(live)]), wrapper=slowly(slow_library))
    wait_until(lambda: states(daemon) == {"ok": 2}, "both certificates are counted")


@pytest.mark.skipif(IS_TSAN, reason="TSan's own open() comes first")
def test_end_while_a_read_hangs(operate, pki, tmp_path, slow_library):
    """A handshake's read hangs, and that of the background too; the end waits for neither."""
    live = tmp_path / "live"
    hangs = "mta-sts.hangs.example"
    for host in (HOST, hangs):
        pki.issue(live / host, host)
    daemon = operate(
        configuration(pki, tmp_path, {name: {"mode": "none"} for name in
                                      ["example.com", "hangs.example"]},
                      certificates=[own_source(live)]), wrapper=slowly(slow_library))
    assert answers(daemon, pki, HOST)
    assert not answers(daemon, pki, hangs)
    began = time.monotonic()
    daemon.stop()
    assert time.monotonic() - began < 8
    assert daemon.log.find("ended while a file system does not answer")
    assert not (tmp_path / "control.sock").exists()


@pytest.mark.skipif(IS_TSAN, reason="TSan's own open() comes first")
def test_many_hosts_on_slow_storage(operate, pki, tmp_path, slow_library):
    """None but the first holds its worker; known hosts are answered at speed meanwhile."""
    live = tmp_path / "live"
    pki.issue(live / HOST, HOST)
    domains = [f"d{i}.slow.example" for i in range(40)]
    for domain in domains:
        shutil.copytree(live / HOST, live / f"mta-sts.{domain}")
    daemon = operate(
        configuration(pki, tmp_path,
                      {name: {"mode": "none"} for name in ["example.com", *domains]},
                      certificates=[own_source(live)]), wrapper=slowly(slow_library))
    assert answers(daemon, pki, HOST)

    def ask_again_and_again(host):
        for _ in range(4):
            if answers(daemon, pki, host):
                return
            time.sleep(1)

    senders = [threading.Thread(target=ask_again_and_again, args=(f"mta-sts.{domain}",))
               for domain in domains]
    for sender in senders:
        sender.start()
    took = []
    while any(sender.is_alive() for sender in senders):
        began = time.monotonic()
        assert answers(daemon, pki, HOST)
        took.append(time.monotonic() - began)
    for sender in senders:
        sender.join()
    # Only the first read holds up workers, for its two seconds.
    assert max(took) < 4 and len([seconds for seconds in took if seconds > 1]) <= 2, took


@pytest.mark.skipif(IS_TSAN, reason="TSan's own open() comes first")
def test_slow_storage(operate, pki, tmp_path, slow_library):
    """The first read of the slow one holds its worker for two seconds at most, and then no more."""
    live = tmp_path / "live"
    fast, slow = "mta-sts.fast.example", "mta-sts.slow.example"
    for host in (fast, slow):
        pki.issue(live / host, host)
    daemon = operate(
        configuration(pki, tmp_path, {"fast.example": {"mode": "none"},
                                      "slow.example": {"mode": "none"}},
                      certificates=[own_source(live)]), wrapper=slowly(slow_library))

    def measure(host):
        began = time.monotonic()
        is_answered = answers(daemon, pki, host)
        return is_answered, time.monotonic() - began

    assert measure(fast)[0]
    senders = [threading.Thread(target=measure, args=(slow,)) for _ in range(4)]
    for sender in senders:
        sender.start()
    took = []
    while not answers(daemon, pki, slow):
        is_answered, seconds = measure(fast)
        assert is_answered
        took.append(seconds)
    for sender in senders:
        sender.join()
    assert max(took) < 3 and sorted(took)[len(took) // 2] < 0.3, took
    daemon.log.wait_for(f"refused: the certificate for '{slow}' could not be read within 2 s: its")
    assert not daemon.log.find("there is no certificate")
    # The scan and the refresh read again, in the background.
    assert daemon.ask("--reload").returncode == 0
    for host in 10 * (fast, slow):
        is_answered, seconds = measure(host)
        assert is_answered and seconds < 0.6


