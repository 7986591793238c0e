# SPDX-License-Identifier: MIT
"""Postfix hands the mails of an address to --import-report, as mta-stsd-reports(8) says.

Its processes become another user, so it runs only where the tests run as root.
"""

import json
import os
import pathlib
import re
import shutil
import smtplib
import subprocess
import time

import pytest

from daemon import ROOT
from processes import eventually, run

USER = "nobody"
MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
multi_instance_enable = no
myhostname = mail.example.net
mydestination =
inet_interfaces = loopback-only
transport_maps = inline:{{ tlsrpt@example.net=tlsrpt: }}
default_transport = error:no other mail goes out
minimal_backoff_time = 1s
queue_run_delay = 1s
maillog_file = {folder}/log/postfix.log
maillog_file_prefixes = {folder}
mynetworks_style = host
local_recipient_maps =
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
import_environment = MAIL_CONFIG LSAN_OPTIONS
export_environment = LSAN_OPTIONS
"""
MASTER = """\
127.0.0.1:2525 inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
anvil unix - - n - 1 anvil
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
"""
REPORT = (ROOT / "tests/data/vectors/tlsrpt/ok.eml").read_bytes()
DEFECT = b"domains: {"


def master_row():
    """The row of master.cf in the manual, with its words of this machine."""
    page = (ROOT / "docs/mta-stsd-reports.8").read_text(encoding="utf-8")
    return re.search(r"^tlsrpt +unix .*\n +flags=.*$", page, re.MULTILINE)[0]


class Postfix:
    def __init__(self, folder):
        self.folder = folder
        self.state, self.config = folder / "state", folder / "mta-stsd.yaml"
        for name in ("queue", "data", "log", "state", "bin"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")
        shutil.chown(self.state, USER)
        program = pathlib.Path(os.environ["MTA_STSD"])
        for name in ("mta-stsd", "mta-stsd-reports"):
            shutil.copy(program.with_name(name), folder / "bin")
        self.write_config(json.dumps({
            "domains": {"example.net": {"mx": ["mx.example.net"]}}, "state": str(self.state),
            "policy_host": {"addresses": ["192.0.2.1"]}}).encode())
        row = master_row().replace("user=mta-stsd", f"user={USER}").replace(
            "/usr/sbin/mta-stsd", f"{folder}/bin/mta-stsd -c {self.config}")
        (folder / "main.cf").write_text(MAIN.format(folder=folder), encoding="ascii")
        (folder / "master.cf").write_text(MASTER + row + "\n", encoding="ascii")

    def write_config(self, content):
        self.config.write_bytes(content)

    def send(self, content):
        with smtplib.SMTP("127.0.0.1", 2525, timeout=20) as server:
            server.sendmail("sender@sender.example", "tlsrpt@example.net", content)

    def log(self):
        return (self.folder / "log/postfix.log").read_text(encoding="utf-8")

    def wait_for(self, status, count=1):
        eventually(lambda: len(re.findall(rf"relay=tlsrpt,.* status={status} ", self.log()))
                   >= count, f"a mail that is {status}")

    def reports(self):
        return json.loads(run(self.folder / "bin/mta-stsd", "-c", self.config, "--reports", "--json",
                              "--days", "400", "example.net"))[0]["reporters"]


@pytest.fixture(name="postfix")
def postfix_in_test():
    if os.geteuid() != 0 or pathlib.Path("/proc/self/uid_map").read_text().split() != \
            ["0", "0", "4294967295"]:
        pytest.skip("Postfix changes its user, which root alone may")
    folder = pathlib.Path(f"/tmp/mta-stsd-postfix-{os.getpid()}-{time.monotonic_ns()}")
    folder.mkdir()  # pytest's folders are closed to other users
    try:
        postfix = Postfix(folder)
        subprocess.run(["postfix", "-c", folder, "start"], check=True, timeout=60,
                       capture_output=True)
        yield postfix
        subprocess.run(["postfix", "-c", folder, "stop"], check=True, timeout=60,
                       capture_output=True)
    finally:
        print((folder / "log/postfix.log").read_text())
        shutil.rmtree(folder)


def test_pipe(postfix):
    """A report is delivered, ordinary mail too; nothing bounces while the configuration is broken."""
    postfix.send(REPORT)
    postfix.wait_for("sent")
    assert [reporter["successful"] for reporter in postfix.reports()] == [10]
    assert (postfix.state / "reports.sqlite").owner() == USER
    postfix.send(b"From: a@example.com\nSubject: lunch?\n\nToday?\n")
    postfix.wait_for("sent", 2)
    good = postfix.config.read_bytes()
    postfix.write_config(DEFECT)
    postfix.send(REPORT.replace(b"syn-1@", b"syn-2@"))
    postfix.wait_for("deferred")
    postfix.write_config(good)
    postfix.wait_for("sent", 3)
    assert "bounced" not in postfix.log()
