# SPDX-License-Identifier: MIT
"""certbot and lego beside a daemon without acme: what they write is served, without a reload.

They run as the manual says; only the CA is another one, and the group is one of this machine's.
"""

import pathlib
import shutil
import subprocess
import tempfile

import pytest

import manual
import names
from daemon import ROOT
from names import NAME_SERVER, policy_hosts
from ordering import Orderer, settings
from pebble import DIRECTORY
from processes import eventually
from test_list import states
from unshared import IS_ROOT

GROUP = "daemon"  # in place of mta-stsd, which this machine need not have
LIFE_S = 20 * 24 * 3600  # so short that both renew whenever they are run
LOOK_S = 90  # files are looked at every minute

CLI_INI = """\
deploy-hook = /etc/letsencrypt/mta-stsd-hook {group}
server = {directory}
work-dir = {folder}/work
logs-dir = {folder}/logs
agree-tos = true
register-unsafely-without-email = true
non-interactive = true
no-random-sleep-on-renew = true
"""
# lego's program for DNS challenges: METHOD FQDN VALUE.
DNS_PROGRAM = """\
#!/bin/sh
set -eu
knot() {{ knotc -b -s "{socket}" "$@" >&2; }}
knot zone-begin example
case $1 in
present) knot zone-set example "$2" 1 TXT "\\"$3\\"" ;;
*) knot zone-unset example "$2" TXT ;;
esac
knot zone-commit example
"""


@pytest.fixture(name="etc")
def own_folders(internet):
    """Where another user may look; /etc/letsencrypt is in it."""
    del internet
    if not IS_ROOT:
        pytest.skip("only root can give files to another group")
    if not pathlib.Path("/etc/letsencrypt").exists():
        pytest.fail("certbot is not installed")
    with tempfile.TemporaryDirectory(prefix="mta-layouts-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        letsencrypt = folder / "letsencrypt"
        letsencrypt.mkdir()
        names.mount(letsencrypt, "/etc/letsencrypt")
        shutil.copy(ROOT / "config/certbot/deploy-hook", letsencrypt / "mta-stsd-hook")
        (letsencrypt / "cli.ini").write_text(
            CLI_INI.format(group=GROUP, directory=DIRECTORY, folder=folder), encoding="ascii")
        (folder / "lego").mkdir()
        yield folder
        subprocess.run(["umount", "/etc/letsencrypt"], check=True, timeout=10)


def run(commands, etc):
    done = subprocess.run(["sh", "-euc", commands.replace("/etc/lego", str(etc / "lego"))],
                          capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, f"{commands}:\n{done.stdout}{done.stderr}"


def certbot(domain):
    """The manual's commands for a first certificate and for renewals."""
    first, renewal = manual.commands("certbot").splitlines()
    assert "mta-sts.example.com" in first
    return first.replace("mta-sts.example.com", f"mta-sts.{domain}"), renewal


def lego(domain):
    lines = manual.commands("lego").replace("mta-sts.example.com", f"mta-sts.{domain}") \
        .replace("mta-stsd", GROUP).replace("lego -", f"lego --server {DIRECTORY} -").splitlines()
    renewal = lines.pop() + " --no-random-sleep"
    return "\n".join(lines), f"{lines[0]}\n{renewal}"


def lego_wildcard(domain, internet, folder):
    program = folder / "dns-program"
    program.write_text(DNS_PROGRAM.format(socket=internet.folder / "knot.sock"), encoding="ascii")
    program.chmod(0o755)
    by_dns = f"--dns exec --dns.resolvers {NAME_SERVER}:53 -d '*.{domain}'"
    host = f"-d mta-sts.{domain}"
    setting = f"export EXEC_PATH={program} EXEC_POLLING_INTERVAL=1\n"
    return [setting + text.replace(f"--http {host}", by_dns) for text in lego(domain)]


def test_layouts(internet, ca, etc):
    """First certificates, then renewed ones: certbot's, its -0001, lego's and lego's wildcard."""
    domains = ["certbot.example", "anew.example", "lego.example", "wild.example"]
    internet.publish(*policy_hosts(*domains, "more.example"))
    wanted = settings(etc, domains, user=GROUP, certificates=[
        *manual.configuration("certificates", "letsencrypt"),
        *({key: path.replace("/etc/lego", str(etc / "lego")) for key, path in source.items()}
          for source in manual.configuration("certificates", "lego"))])
    del wanted["acme"], wanted["state"], wanted["listen"][1]
    run_of = {"certbot.example": certbot("certbot.example"), "lego.example": lego("lego.example"),
              "wild.example": lego_wildcard("wild.example", internet, etc)}
    first, renewal = certbot("anew.example")
    with ca.serving(certificateValidityPeriod=LIFE_S), Orderer(etc, wanted) as daemon:
        with_more = f"{first} --domain mta-sts.more.example"
        for commands in [*(both[0] for both in run_of.values()), with_more]:
            run(commands, etc)
        for domain in domains:
            assert daemon.serves(domain, ca.bundle), domain
        before = {domain: daemon.fetch(domain, ca.bundle).certificate for domain in domains}
        # For other names than before, certbot makes another certificate beside the old one.
        run(first, etc)
        assert "anew.example-0001/" in states(daemon)["anew.example"]["path"]
        for commands in (renewal, run_of["lego.example"][1], run_of["wild.example"][1]):
            run(commands, etc)
        assert (etc / "lego/certificates/_.wild.example.crt").exists()
        for domain in domains:
            eventually(lambda: daemon.fetch(domain, ca.bundle).certificate != before[domain],
                       f"a new certificate of {domain}", LOOK_S)
        assert not daemon.log.find("reloaded|error")
