# SPDX-License-Identifier: MIT
"""The examples for `notify:`: mail by SMTP and by sendmail, and a webhook."""

import email
import email.policy
import http.server
import json
import socket
import stat
import subprocess
import threading

import pytest

from daemon import ROOT

EXAMPLES = ROOT / "config/notify"
HOSTILE = "<b>Evil</b>\r\nBcc: victim@example.net\r\n\r\n.\r\n\u202e\u0007" + "ä" * 1000
DOCUMENT = {
    "version": 1, "host": "mx1", "time": 1789000000,
    "summary": "mta-stsd on mx1: 2 conditions began, 1 condition ended",
    "notices": [
        {"event": "began", "kind": "check", "code": "cert-name", "domain": "example.com",
         "since": 1789000000, "text": HOSTILE, "advice": "Renew the certificate."},
        {"event": "began", "kind": "reload", "code": "reload-refused", "domain": None,
         "since": 1789000000, "text": "line", "advice": ""},
        {"event": "ended", "kind": "dns", "code": "txt-missing", "domain": "example.org",
         "since": 1788990000, "until": 1789000000, "text": "It is there again.", "advice": ""}],
    "left_out": 7}
FROM, TO = "mta-stsd@example.com", ["a@example.com", "b@example.com"]


def give(arguments, document=DOCUMENT):
    """Runs an example as the daemon does."""
    return subprocess.run([str(argument) for argument in arguments], timeout=60, check=False,
                          input=json.dumps(document).encode(), capture_output=True)


def check_mail(raw):
    assert max(map(len, raw.split(b"\n"))) < 998
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail.keys() == ["From", "To", "Subject", "Date", "Auto-Submitted", "MIME-Version",
                           "Content-Type", "Content-Transfer-Encoding"]
    assert mail["Subject"] == DOCUMENT["summary"]
    assert mail["To"] == ", ".join(TO) and mail["From"] == FROM
    assert mail["Date"].datetime.timestamp() == DOCUMENT["time"]
    lines = mail.get_content().replace("\r\n", "\n").split("\n")
    assert lines[0] == "NEW example.com: cert-name"
    assert lines[1].startswith("  <b>Evil</b>  Bcc: victim@example.net    .    ä")
    assert "  Renew the certificate." in lines and "NEW mta-stsd: reload-refused" in lines
    assert "  since 9 September 2026, 21:40 UTC, until 10 September 2026, 00:26 UTC" in lines
    assert any(line.startswith("7 more are left out") for line in lines)


class SmtpServer:
    """Takes one mail, or refuses the recipients."""

    def __init__(self, refuses=False):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.refuses, self.recipients, self.mail = refuses, [], b""
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.thread.join(10)
        self.listener.close()

    @property
    def url(self):
        return f"smtp://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self):
        connection, _ = self.listener.accept()
        with connection, connection.makefile("rwb", buffering=0) as stream:
            stream.write(b"220 ready\r\n")
            while line := stream.readline():
                verb = line[:4].upper()
                if verb == b"RCPT":
                    self.recipients.append(line.split(b"<")[1].split(b">")[0].decode())
                if verb == b"DATA":
                    stream.write(b"354 go\r\n")
                    while (line := stream.readline()) != b".\r\n":
                        self.mail += line.removeprefix(b".") if line.startswith(b"..") else line
                stream.write(b"550 no\r\n" if verb == b"RCPT" and self.refuses else b"250 ok\r\n")
                if verb == b"QUIT":
                    return


def test_mail_by_smtp():
    with SmtpServer() as server:
        done = give([EXAMPLES / "mail.sh", server.url, FROM, *TO])
    assert (done.returncode, done.stderr) == (0, b"")
    assert server.recipients == TO
    check_mail(server.mail)


def test_mail_that_is_refused():
    with SmtpServer(refuses=True) as server:
        assert give([EXAMPLES / "mail.sh", server.url, FROM, *TO]).returncode != 0


def test_mail_by_sendmail(tmp_path):
    program = tmp_path / "sendmail"
    program.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/arguments\ncat >{tmp_path}/mail\n')
    program.chmod(stat.S_IRWXU)
    done = give([EXAMPLES / "mail.sh", program, FROM, *TO])
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "arguments").read_text() == f"-i -f {FROM} -- {' '.join(TO)}\n"
    check_mail((tmp_path / "mail").read_bytes())
    program.write_text("#!/bin/sh\nexit 75\n")
    assert give([EXAMPLES / "mail.sh", program, FROM, *TO]).returncode == 75


@pytest.mark.parametrize("event", ["digest", "test"])
def test_mail_of_other_events(tmp_path, event):
    program = tmp_path / "sendmail"
    program.write_text(f"#!/bin/sh\ncat >{tmp_path}/mail\n")
    program.chmod(stat.S_IRWXU)
    notices = [dict(notice, event=event) for notice in DOCUMENT["notices"]]
    assert give([EXAMPLES / "mail.sh", program, FROM, *TO],
                dict(DOCUMENT, notices=notices)).returncode == 0
    text = (tmp_path / "mail").read_text()
    assert ("\nOPEN example.com: " if event == "digest" else "\nTEST example.com: ") in text
    assert ("\nENDED example.org: " if event == "digest" else "\nTEST example.org: ") in text


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, self.headers, json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(name="hook")
def hook_in_test():
    with http.server.HTTPServer(("127.0.0.1", 0), Hook) as server:
        server.taken, server.status = [], 204
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


def options_for(hook, folder):
    path = folder / "webhook.curl"
    path.write_text(f'url = "http://127.0.0.1:{hook.server_port}/secret"\n'
                    'header = "Authorization: Bearer word"\n')
    return path


def test_webhook(hook, tmp_path):
    done = give([EXAMPLES / "webhook.sh", options_for(hook, tmp_path)])
    assert (done.returncode, done.stderr) == (0, b"")
    (path, headers, document), = hook.taken
    assert path == "/secret" and document == DOCUMENT
    assert headers["Authorization"] == "Bearer word"
    assert headers["Content-Type"] == "application/json"


def test_webhook_of_a_chat(hook, tmp_path):
    assert give([EXAMPLES / "webhook.sh", options_for(hook, tmp_path), "text"]).returncode == 0
    (_, _, document), = hook.taken
    assert list(document) == ["text"] and len(document["text"]) <= 1900
    assert document["text"].startswith(DOCUMENT["summary"] + "\nexample.com: <b>Evil")


def test_webhook_that_refuses(hook, tmp_path):
    hook.status = 500
    assert give([EXAMPLES / "webhook.sh", options_for(hook, tmp_path)]).returncode != 0
