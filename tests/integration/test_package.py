# SPDX-License-Identifier: MIT
"""The Debian package, from `./dev package` to purge, in a booted Debian 12 and a Debian 13."""

import os
import re
import shutil
import subprocess

import pytest

from client import POLICY_PATH, policy_body
from daemon import IS_TSAN, ROOT
from debian_machine import Machine, bootstrap
from operated import wait_until

HOST = "mta-sts.example.com"
CONFIG = "etc/mta-stsd/mta-stsd.yaml"
README = (ROOT / "config/debian/README.Debian").read_text(encoding="utf-8")
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a machine needs root"),
    pytest.mark.skipif(IS_TSAN, reason="built once is enough: it is no build of this preset"),
]


@pytest.fixture(name="package", scope="module")
def build_package():
    printed = subprocess.run([ROOT / "dev", "package"], check=True, stdout=subprocess.PIPE,
                             text=True).stdout
    return ROOT / printed.strip()


@pytest.fixture(name="machine", scope="module", params=["bookworm", "trixie"])
def boot_machine(request, package, tmp_path_factory):
    """Without the package. pytest keeps folders for a while: this one is large."""
    root = tmp_path_factory.mktemp("debian") / "root"
    try:
        bootstrap(root, request.param, package)
        with Machine(root) as machine:
            yield machine
    finally:
        shutil.rmtree(root, ignore_errors=True)


def newer(machine, package, version):
    """The same package by another version, where the machine finds it: its path there."""
    folder = machine.root / "root" / version
    subprocess.run(["dpkg-deb", "--raw-extract", package, folder], check=True)
    control = folder / "DEBIAN/control"
    text = control.read_text(encoding="utf-8")
    control.write_text(re.sub("^Version: .*$", f"Version: {version}", text, flags=re.MULTILINE))
    subprocess.run(["dpkg-deb", "--build", folder, f"{folder}.deb"], check=True,
                   stdout=subprocess.DEVNULL)
    return f"/root/{version}.deb"


def install(machine, path):
    return machine.do("apt-get", "--yes", "install", path)


def state_of(machine, name):
    return machine.do("systemctl", "show", "--property", name, "--value", "mta-stsd").strip()


def served(machine, pki):
    return machine.curl("--cacert", pki.ca, "--connect-to", f"{HOST}:443:127.0.0.1:443",
                        f"https://{HOST}{POLICY_PATH}").stdout


def commands_of_readme():
    return re.findall("^  ([a-z/].*)$", README, re.MULTILINE)


def put_certificates(machine, pki):
    """Where certbot puts them and as it leaves them: root's alone."""
    for name in ("live", "archive"):
        (machine.root / "etc/letsencrypt" / name).mkdir(parents=True, mode=0o700)
    put_certificate(machine, pki, HOST)


def put_certificate(machine, pki, name):
    live = machine.root / "etc/letsencrypt/live" / name
    shutil.copytree(pki.folder / "live" / HOST, live)
    (live / "privkey.pem").chmod(0o600)
    return f"/etc/letsencrypt/live/{name}"


def deploy_hook():
    hook, = re.findall("^deploy-hook = (.*)$", README, re.MULTILINE)
    return hook


def check_certbot(machine, pki):
    """A new certificate, after which certbot runs the line of cli.ini in README.Debian."""
    lineage = put_certificate(machine, pki, "mta-sts.second.example")
    read = ("setpriv", "--reuid=mta-stsd", "--regid=mta-stsd", "--clear-groups", "cat",
            f"{lineage}/privkey.pem")
    assert machine.run(*read).returncode != 0
    machine.do("env", f"RENEWED_LINEAGE={lineage}", "sh", "-c", deploy_hook())
    assert "PRIVATE KEY" in machine.do(*read)
    assert machine.do("stat", "-c", "%G %a", f"{lineage}/privkey.pem") == "mta-stsd 640\n"


def test_carries_libh2o_alone(package):
    """Debian 13 has no h2o; it provides what else is needed by the names of Debian 12."""
    shown = subprocess.run(["dpkg-deb", "--field", package, "Depends"], check=True,
                           capture_output=True, text=True).stdout
    names = {re.split("[ ,]", name)[0] for name in shown.strip().split(", ")}
    assert {"libssl3", "libuv1", "libpsl5", "libwslay1", "libcurl4", "libunbound8", "libgmime-3.0-0",
            "libjansson4", "libsqlite3-0"} <= names
    assert not [name for name in names if "h2o" in name]
    listed = subprocess.run(["dpkg-deb", "--contents", package], check=True, capture_output=True,
                            text=True).stdout
    assert re.findall(r" \./(usr/lib/mta-stsd/\S+)$", listed, re.MULTILINE) == \
        ["usr/lib/mta-stsd/certbot-deploy-hook", "usr/lib/mta-stsd/libh2o-evloop.so.0.13"]
    copyright_ = subprocess.run(
        f"dpkg-deb --fsys-tarfile {package} | tar -xO ./usr/share/doc/mta-stsd/copyright",
        shell=True, check=True, capture_output=True, text=True).stdout
    assert "\nFiles: usr/lib/mta-stsd/*\n" in copyright_ and "Kazuho Oku" in copyright_
    assert copyright_.count("\nLicense: Expat\n Permission is hereby granted") == 1


@pytest.mark.skipif(shutil.which("lintian") is None, reason="lintian is large; CI does without")
def test_lintian(package):
    subprocess.run(["lintian", "--allow-root", "--fail-on=error,warning", package], check=True)


def check_fresh(machine, package):
    """Installed and enabled, nothing served, nothing failed."""
    printed = install(machine, f"/root/{package.name}")
    assert f"not started: there is no /{CONFIG} yet" in printed
    assert state_of(machine, "UnitFileState") == "enabled"
    assert machine.do("systemctl", "is-system-running") == "running\n"
    assert machine.run("systemctl", "start", "mta-stsd").returncode != 0
    assert machine.do("systemctl", "is-system-running") == "running\n"
    assert machine.do("dpkg", "--verify", "mta-stsd") == ""
    assert machine.do("stat", "-c", "%U %a", "/etc/mta-stsd") == "root 755\n"


def check_configured(machine, pki):
    """By README.Debian's own commands."""
    put_certificates(machine, pki)
    for command in commands_of_readme():
        if not command.startswith("editor "):
            machine.do(*command.split())
    assert wait_until(lambda: served(machine, pki), "the policy") == policy_body("mail.example.com")
    assert machine.do("stat", "-c", "%U", f"/proc/{state_of(machine, 'MainPID')}") == "mta-stsd\n"
    assert "sandbox: user mta-stsd" in machine.do("journalctl", "--unit", "mta-stsd", "--boot")
    edited = (machine.root / CONFIG).read_text(encoding="utf-8") + "    mode: enforce\n"
    (machine.root / CONFIG).write_text(edited, encoding="utf-8")
    machine.do("mta-stsd", "--reload")
    return edited


def check_upgrade(machine, package, pki, edited):
    """The new program, the old configuration."""
    before = state_of(machine, "MainPID")
    install(machine, newer(machine, package, "0.2.0-1"))
    assert state_of(machine, "MainPID") not in (before, "0")
    assert (machine.root / CONFIG).read_text(encoding="utf-8") == edited
    assert wait_until(lambda: served(machine, pki), "the policy") == \
        policy_body("mail.example.com", mode="enforce")


def check_refused_upgrade(machine, package, pki, edited):
    """What the new version refuses does not end the old one; disabled stays disabled."""
    machine.do("systemctl", "disable", "mta-stsd")
    (machine.root / CONFIG).write_text(edited + "    no-key: 1\n", encoding="utf-8")
    before = state_of(machine, "MainPID")
    printed = install(machine, newer(machine, package, "0.3.0-1"))
    assert "no-key" in printed and "not restarted: the new version refuses" in printed
    assert state_of(machine, "MainPID") == before and served(machine, pki)
    (machine.root / CONFIG).write_text(edited, encoding="utf-8")
    machine.do("systemctl", "restart", "mta-stsd")
    assert state_of(machine, "UnitFileState") == "disabled"


def check_gone(machine, edited):
    """Removed, it serves no more; purged, nothing is left but what others have written."""
    machine.do("apt-get", "--yes", "remove", "mta-stsd")
    assert state_of(machine, "LoadState") == "not-found"
    assert state_of(machine, "ActiveState") == "inactive"
    machine.do("apt-get", "--yes", "purge", "mta-stsd")
    found = machine.do("find", "/etc", "/lib", "/usr", "/var/lib", "-name", "*mta-stsd*")
    hook = deploy_hook()
    assert sorted(found.split()) == sorted([hook, "/etc/mta-stsd", f"/{CONFIG}"])
    machine.do(hook)  # else certbot would renew nothing any more
    assert (machine.root / CONFIG).read_text(encoding="utf-8") == edited
    assert machine.do("systemctl", "is-system-running") == "running\n"


def test_life(machine, package, pki):
    check_fresh(machine, package)
    edited = check_configured(machine, pki)
    check_certbot(machine, pki)
    check_upgrade(machine, package, pki, edited)
    check_refused_upgrade(machine, package, pki, edited)
    check_gone(machine, edited)
