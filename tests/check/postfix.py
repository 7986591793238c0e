# SPDX-License-Identifier: MIT
"""A real Postfix: as MX hosts, one smtpd service for each address, each with settings of its own,
and as a sender that follows DANE.

Its processes become another user, so it runs only where the tests run as root.
"""

import contextlib
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

from processes import eventually

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
multi_instance_enable = no
myhostname = {host}
mydestination =
inet_interfaces = all
local_recipient_maps =
smtputf8_enable = no
maillog_file = {folder}/log/postfix.log
maillog_file_prefixes = {folder}
"""
MX_HOST = """\
smtpd_tls_security_level = may
smtpd_tls_loglevel = 1
smtpd_tls_eecdh_grade = auto
"""
# It gives up soon; a connection is used for one message.
SENDER = """\
smtp_tls_security_level = dane
smtp_dns_support_level = dnssec
smtp_tls_CAfile = {ca}
smtp_tls_loglevel = 1
smtp_connect_timeout = 2s
smtp_helo_timeout = 2s
smtp_starttls_timeout = 2s
smtp_connection_cache_on_demand = no
"""
MASTER_HEAD = """\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
SENDER_SERVICES = """\
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
smtp unix - - n - 20 smtp
"""
RESULT = re.compile(r" to=<a@([^>]+)>,.* status=(\w+) (\(.*\))$", re.MULTILINE)


class PostfixHost:
    """One service.

    kind      fault of its certificate; without_tls: none is offered
    settings  of main.cf, for this service
    by_name   the good certificate is shown only to who asks for the host's name (SNI)
    """

    def __init__(self, label, address, *, kind=None, by_name=False, without_tls=False, **settings):
        self.host, self.address = f"{label}.postfix.example", address
        self.label, self.kind, self.by_name = label, kind, by_name
        self.settings, self.without_tls = settings, without_tls

    def service(self, certificates, folder):
        settings = dict(self.settings)
        chain, key = certificates.make_host("else.postfix.example" if self.by_name else self.host,
                                            self.kind)
        settings["smtpd_tls_chain_files"] = ",".join(
            map(str, _one_file(folder / self.label, chain, key)))
        if self.without_tls:
            settings = {"smtpd_tls_security_level": "none"}
        if self.by_name:
            settings["tls_server_sni_maps"] = self._sni_map(certificates, folder)
        options = "".join(f"  -o {{ {key} = {value} }}\n" for key, value in settings.items())
        return f"{self.address}:25 inet n - n - - smtpd\n{options}"

    def _sni_map(self, certificates, folder):
        chain, key = certificates.make_host(self.host)
        (path,) = _one_file(folder / f"{self.label}-sni", chain, key)
        table = folder / f"{self.label}-map"
        table.write_text(f"{self.host} {path}\n", encoding="ascii")
        subprocess.run(["postmap", "-c", folder, "-F", f"hash:{table}"], check=True, timeout=20)
        return f"hash:{table}"


def _one_file(path, chain, key):
    path.write_bytes(key.read_bytes() + chain.read_bytes())
    return [path]


@contextlib.contextmanager
def _folder():
    """One that Postfix's users may enter, as they may not pytest's."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        for sub in ("queue", "data", "log"):
            (folder / sub).mkdir()
        shutil.chown(folder / "data", "postfix")
        yield folder


@contextlib.contextmanager
def _running(folder):
    command = ["postfix", "-c", str(folder)]
    subprocess.run([*command, "start"], check=True, timeout=60, capture_output=True)
    try:
        yield
    finally:
        subprocess.run([*command, "stop"], check=False, timeout=60, capture_output=True)


@contextlib.contextmanager
def postfix(hosts, certificates):
    with _folder() as folder:
        main = (MAIN + MX_HOST).format(folder=folder, host=hosts[0].host)
        (folder / "main.cf").write_text(main, encoding="ascii")
        (folder / "master.cf").write_text(MASTER_HEAD, encoding="ascii")  # postmap looks for it
        services = "".join(host.service(certificates, folder) for host in hosts)
        (folder / "master.cf").write_text(MASTER_HEAD + services, encoding="ascii")
        with _running(folder):
            for host in hosts:
                eventually(lambda at=host.address: _greets(at), f"{host.host} is ready")
            yield


def send_with_dane(domains, certificates, limit_s=30):
    """Has Postfix send a message to each domain: {domain: ("sent" or "deferred", why)}."""
    with _folder() as folder:
        main = (MAIN + SENDER).format(folder=folder, host="sender.example", ca=certificates.pki.ca)
        (folder / "main.cf").write_text(main, encoding="ascii")
        (folder / "master.cf").write_text(MASTER_HEAD + SENDER_SERVICES, encoding="ascii")
        log = folder / "log" / "postfix.log"
        with _running(folder):
            subprocess.run(["sendmail", "-C", folder, "-f", "a@sender.example",
                            *(f"a@{domain}" for domain in domains)],
                           input=b"Subject: a\n\na\n", check=True, timeout=20)

            def results():
                found = {domain: rest for domain, *rest in RESULT.findall(log.read_text())}
                return found if found.keys() == set(domains) else None
            return eventually(results, "all messages are sent or put off", limit_s)


def _greets(address):
    with socket.create_connection((address, 25), 5) as connection:
        connection.settimeout(5)
        return connection.recv(512) != b""


POSTFIX_HOSTS = [
    PostfixHost("good", "45.67.89.70"),
    PostfixHost("no-tls", "45.67.89.71", without_tls=True),
    PostfixHost("name", "45.67.89.72", kind="name"),
    PostfixHost("expired", "45.67.89.73", kind="expired"),
    PostfixHost("self", "45.67.89.74", kind="self"),
    PostfixHost("untrusted", "45.67.89.75", kind="untrusted"),
    PostfixHost("leaf-alone", "45.67.89.76", kind="leaf-alone"),
    PostfixHost("old", "45.67.89.77", smtpd_tls_protocols="TLSv1",
                smtpd_tls_mandatory_protocols="TLSv1", tls_medium_cipherlist="ALL:@SECLEVEL=0"),
    PostfixHost("by-name", "45.67.89.78", by_name=True),
    # It holds back its replies to those that break rules.
    PostfixHost("patient", "45.67.89.79", smtpd_error_sleep_time="2s",
                smtpd_client_restrictions="sleep 1"),
    PostfixHost("refusing", "45.67.89.80", smtpd_delay_reject="no",
                smtpd_client_restrictions="reject"),
]


def postfix_zone_lines():
    return [line for host in POSTFIX_HOSTS
            for line in (f"{host.label} A {host.address}",
                         f"d-{host.label} MX 10 {host.host}.")]
