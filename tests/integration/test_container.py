# SPDX-License-Identifier: MIT
"""docker/Dockerfile without Docker: its commands in a clean tree, its minimal stage as a chroot."""

import os
import pathlib
import re
import subprocess
import time

import pytest

from client import connect, exchange, policy_body, request, tls_context
from daemon import PATIENCE_S, PROGRAM, ROOT

USER = 65532
HOST = "mta-sts.example.com"
DOCKERFILE = (ROOT / "docker/Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
RUNS = re.findall(r"^RUN (.*)$", DOCKERFILE, re.MULTILINE)
CHROOT = """
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --bind /dev/null "$1/dev/null"
mount --bind /dev/urandom "$1/dev/urandom"
mount -t tmpfs -o uid=65532,gid=65532,mode=0700 tmpfs "$1/run/mta-stsd"
mount -o remount,bind,ro "$1"
exec chroot --userspec=65532:65532 "$@"
"""
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="chroot and mounts need root"),
    pytest.mark.skipif(b"__tsan_init" in pathlib.Path(PROGRAM).read_bytes(),
                       reason="built once is enough: it is no build of this preset"),
]


def packages(command):
    words = command.split("apt-get install", 1)[1].split("&&")[0].split()
    return [word for word in words if not word.startswith("-")]


def test_packages():
    """Each is there in the version named, and what builds is what ./dev builds with."""
    builder, runtime = [packages(command) for command in RUNS if "apt-get install" in command]
    names = [word.partition("=")[0] for word in builder + runtime]
    known = subprocess.run(["apt-cache", "madison", *names], capture_output=True, text=True,
                           check=True).stdout
    for word in builder + runtime:
        name, _, version = word.partition("=")
        assert re.search(rf"^ *{re.escape(name)} \| {re.escape(version)}", known, re.MULTILINE), word
    listed = re.search(r"build_packages=\((.*?)\)", (ROOT / "dev").read_text(), re.DOTALL)[1]
    assert sorted(word.partition("=")[0] for word in builder) == sorted(listed.split())


@pytest.fixture(name="root", scope="module")
def build_minimal_stage(tmp_path_factory):
    """What COPY --from=builder takes, made by the builder's own commands."""
    folder = tmp_path_factory.mktemp("image")
    subprocess.run(["git", "clone", "--quiet", ROOT, folder / "source"], check=True)
    for command in RUNS:
        if "apt-get" in command or command.startswith("install "):
            continue
        for path in ("/installed", "/root-of-it"):
            command = command.replace(path, f"{folder}{path}")
        subprocess.run(command, shell=True, cwd=folder / "source", check=True,
                       stdout=subprocess.DEVNULL)
    root = folder / "root-of-it"
    for name in ("proc", "dev", "etc/mta-stsd"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("null", "urandom"):
        (root / "dev" / name).touch()
    return root


@pytest.fixture(name="image")
def configured(root, pki):
    """The configuration that compose.yaml mounts, on a port of the test's, and certificates."""
    pki.issue(root / "etc/letsencrypt/live" / HOST, HOST)
    live = root / "etc/letsencrypt/live" / HOST
    (live / "chain.pem").rename(live / "fullchain.pem")
    (live / "key.pem").rename(live / "privkey.pem")
    for path in (live, live.parent, live.parent.parent, *live.iterdir()):
        os.chown(path, USER, USER)
    text = (ROOT / "docker/mta-stsd.yaml").read_text(encoding="utf-8")
    assert '"[::]:8443"' in text and '"[::]:9847"' in text
    text = text.replace('"[::]:8443"', '"127.0.0.1:0"').replace('"[::]:9847"', '"127.0.0.1:0"')
    (root / "etc/mta-stsd/mta-stsd.yaml").write_text(text, encoding="utf-8")
    return root


def inside(process, root, *arguments):
    """Runs the program once more in the namespace of the one that serves."""
    return subprocess.run(
        ["nsenter", f"--mount=/proc/{process.pid}/ns/mnt", "chroot", f"--userspec={USER}:{USER}",
         root, "/usr/sbin/mta-stsd", *arguments], capture_output=True, text=True, check=False,
        timeout=PATIENCE_S)


def test_minimal_stage(image, pki):
    assert not any((image / folder / "sh").exists() for folder in ("bin", "usr/bin"))
    process = subprocess.Popen(["unshare", "--mount", "sh", "-ec", CHROOT, "sh", image,
                                "/usr/sbin/mta-stsd"], stderr=subprocess.PIPE, text=True)
    lines = []
    try:
        while not lines or "ready: " not in lines[-1]:
            lines.append(process.stderr.readline())
            assert lines[-1], lines
        port = next(int(re.search(r":(\d+) \(TLS\)", line)[1]) for line in lines if "(TLS)" in line)
        with tls_context(pki).wrap_socket(connect(("127.0.0.1", port)), server_hostname=HOST) as tls:
            answer = exchange(tls, request(HOST, headers=["Connection: close"]))
        assert answer.body == policy_body("mail.example.com", mode="testing")
        assert inside(process, image, "--health").returncode == 0
        reload = inside(process, image, "--reload")
        assert reload.returncode == 0, reload
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        assert re.search(rf"^Uid:\s+{USER}\s", status, re.MULTILINE)
        began = time.monotonic()
        process.terminate()
        assert process.wait(PATIENCE_S) == 0 and time.monotonic() - began < 30
    finally:
        process.kill()
        process.wait()
