# SPDX-License-Identifier: MIT
"""A hosting provider's state directory, with a domain for each thing that a site has to show."""

import json
import pathlib
import subprocess
import time

from client import fetch, tls_context
from daemon import PROGRAM, SANITIZER
from operated import Operated
from pki import Pki

REPORTS = pathlib.Path(PROGRAM).with_name("mta-stsd-reports")
DAY_S = 86400
HOSTILE = '<img src=x onerror="document.title=1"><script>alert(1)</script>\u202e\u0007' + "A" * 10000

# name: mode, sessions a day, failures a day of (type, reason), certificate's days
DOMAINS = {
    "bakery.example": ("enforce", 340, (), 80),
    "clinic.example": ("enforce", 900, (), 80),
    "florist.example": ("testing", 60, (), 80),
    "garage.example": ("testing", 25, ("certificate-expired", "the certificate ended"), 80),
    "harbour.example": ("enforce", 120, ("validation-failure", ""), 80),
    "library.example": ("testing", 0, (), 10),
    "museum.example": ("testing", 15, ("sts-policy-fetch-error", "timeout"), None),
    "orchard.example": ("none", 0, (), 80),
    "school.example": ("testing", 40, (), -1),
    "tailor.example": ("testing", 12, (), 80),
    "xn--bcher-kva.example": ("enforce", 75, (), 80),
}
SENDERS = ("google.com", "microsoft.com", "comcast.net")


def today():
    return int(time.time()) // DAY_S


def date(day):
    return time.strftime("%Y-%m-%d", time.gmtime(day * DAY_S))


def report(domain, mode, day, sender, successful, failures=(), lines=None, **keys):
    """failures  each (result type, reason, sessions)"""
    return json.dumps({
        "organization-name": sender, "contact-info": f"tlsrpt@{sender}",
        "report-id": f"{date(day)}-{domain}@{sender}",
        "date-range": {"start-datetime": f"{date(day)}T00:00:00Z",
                       "end-datetime": f"{date(day)}T23:59:59Z"},
        "policies": [{
            "policy": {"policy-type": "sts", "policy-domain": domain, "mx-host": [f"mx.{domain}"],
                       "policy-string": lines or ["version: STSv1", f"mode: {mode}",
                                                  f"mx: mx.{domain}", "max_age: 604800"]},
            "summary": {"total-successful-session-count": successful,
                        "total-failure-session-count": sum(n for _, _, n in failures)},
            "failure-details": [
                {"result-type": kind, "failed-session-count": n, "receiving-mx-hostname":
                 f"mx.{domain}", "sending-mta-ip": "192.0.2.7", "failure-reason-code": reason}
                for kind, reason, n in failures]}], **keys})


def finding(severity, code, text, meaning, advice, subject=None):
    return {"severity": severity, "code": code, "subject": subject, "text": text,
            "meaning": meaning, "advice": advice, "source": "RFC 8461 4.1"}


def checked(domain, verdict, text, *findings):
    return {"domain": domain, "hosted": True, "verdict": verdict, "text": text, "errors": 1,
            "warnings": 0, "notes": 0, "unknown": 0, "id": None, "policy": None, "policy_host": [],
            "mx": [], "findings": list(findings)}


# Who fetches the policies: {domain: [User-Agents]}; what a stranger says of itself is hostile too.
FETCHES = {
    "bakery.example": ["Google-SMTP-STS", "Google-SMTP-STS", "Go-http-client/1.1", "curl/8.5.0"],
    "tailor.example": [HOSTILE.encode("ascii", "ignore").decode().replace("\x07", "")[:2000]],
    "florist.example": ["mta-stsd-check/1"],
}

NOT_COVERED = ("mx-not-in-policy", "'mx2.harbour.example' is in no mx of the policy",
               "In mode enforce, senders deliver no mail to this MX host.",
               "Add the MX host to the policy, then publish the new id.")


class Place:
    def __init__(self, folder, domains=None):
        self.folder, self.state, self.site = folder, folder / "state", folder / "site"
        self.state.mkdir(mode=0o700)
        self.config = folder / "mta-stsd.yaml"
        self.domains = DOMAINS if domains is None else domains

    def settings(self, **keys):
        return {
            "domains": {name: {"mx": [f"mx.{name}"], "mode": mode,
                               "tls_rpt": [f"mailto:tlsrpt@{name}"]}
                        for name, (mode, *_) in self.domains.items()},
            "policy_host": {"addresses": ["192.0.2.1", "2001:db8::1"]}, "state": str(self.state),
            "certificates": [{"chain": f"{self.folder}/live/{{host}}/chain.pem",
                              "key": f"{self.folder}/live/{{host}}/key.pem"}], **keys}

    def make(self):
        """All of it, but the site."""
        self.config.write_text(json.dumps(self.settings()), encoding="utf-8")
        self.make_certificates()
        self.make_ledger()
        self.make_check()
        self.take_reports()
        self.take_hostile_report("tailor.example")
        self.serve(FETCHES)
        return self

    def serve(self, fetches):
        """Has a daemon serve and counts taken of whom it served: {domain: [User-Agents]}."""
        settings = self.settings(user="root", listen=[{"address": "127.0.0.1:0"}], admin="off",
                                 workers=1, control=str(self.folder / "control.sock"))
        with Operated(self.folder, settings) as daemon:
            for name, agents in fetches.items():
                for agent in agents:
                    assert fetch(daemon.address, f"mta-sts.{name}", tls_context(),
                                 headers=[f"User-Agent: {agent}"]).status == 200
        self.config.write_text(json.dumps(self.settings()), encoding="utf-8")
        process = self.run("--spool", program=REPORTS)
        assert process.returncode == 0, process.stderr.decode()

    def make_certificates(self):
        pki = Pki(self.folder / "pki", "mta-sts.first.example")
        for name, (_, _, _, days) in self.domains.items():
            if days is not None:
                pki.issue(self.folder / "live" / f"mta-sts.{name}", f"mta-sts.{name}", days=days)

    def id_of(self, domain):
        return self.run("--print-id", domain).stdout.decode().strip()

    def make_ledger(self, since_days=25):
        """A domain in mode enforce was in testing before; one has gone."""
        lines = ["mta-stsd ledger 1"]
        begin = int(time.time()) - since_days * DAY_S

        def serves(at_unix_s, name, mode, policy_id):
            lines.append(f"{at_unix_s} serves {name} {policy_id} {mode} 604800 {name} - own mx.{name}")

        for name, (mode, *_) in self.domains.items():
            if mode != "testing":
                serves(begin - 40 * DAY_S, name, "testing", "0" * 32)
            serves(begin, name, mode, self.id_of(name))
            lines.append(f"{begin + 7} fetchable {name}")
        serves(begin, "gone.example", "enforce", "1" * 32)
        lines.append(f"{int(time.time()) - 2 * DAY_S} ends gone.example")
        text = "\n".join(lines) + "\n"
        (self.state / "ledger").write_text(text, encoding="ascii")

    def make_check(self):
        (self.state / "check.json").write_text(json.dumps({"domains": [
            checked("harbour.example", "partly-lost", "senders refuse 1 of 2 MX hosts",
                    finding("error", *NOT_COVERED, subject="mx2.harbour.example")),
            checked("museum.example", "ignored", "senders do not get the policy",
                    finding("error", "tls-refused", "192.0.2.1 refuses the TLS handshake",
                            "Senders cannot fetch the policy.",
                            "Give the server a certificate for this name, and TLS 1.2 or later.",
                            subject="192.0.2.1")),
            checked("clinic.example", "enforced", "senders enforce the policy",
                    finding("warning", "host-ipv6-only", "mta-sts.clinic.example has no A record",
                            "Senders without IPv6 cannot fetch the policy.",
                            "Publish an A record too.")),
            checked("tailor.example", "testing", "enforce would work today",
                    finding("warning", "txt-others", f"another TXT record is there: {HOSTILE}",
                            "Some senders, such as maddy, ignore the policy when there is another "
                            "TXT record.", "Delete the other TXT records at this name.")),
        ], "checked": len(self.domains), "errors": 2, "warnings": 2, "notes": 0, "unknown": 0}),
            encoding="utf-8")

    def run(self, *arguments, stdin=b"", program=PROGRAM):
        process = subprocess.run([program, "-c", self.config, *map(str, arguments)], input=stdin,
                                 capture_output=True, timeout=600, check=False)
        assert not SANITIZER.search(process.stderr.decode()), process.stderr.decode()
        return process

    def take_reports(self, days=28):
        """From files, whose importer vouches for them."""
        folder = self.folder / "reports"
        folder.mkdir()
        for name, (mode, n, failure, _) in self.domains.items():
            for ago in range(1, days + 1):
                for share, sender in enumerate(SENDERS[:3 if n > 50 else 2]):
                    successful = n * (7 + (ago * 5 + share * 3) % 6) // (10 * (share + 1))
                    failed = [(*failure, 1 + ago % 3)] if failure and ago < 9 else []
                    if n > 0 and (ago % 7 > 1 or share == 0):
                        (folder / f"{name}-{ago}-{sender}.json").write_text(
                            report(name, mode, today() - ago, sender, successful, failed))
        process = self.run("--import-report", folder)
        assert process.returncode == 0, process.stderr.decode()

    def take_hostile_report(self, domain):
        """By a mail whose sender nothing proves."""
        text = report(domain, "testing", today() - 3, "evil.example", 10**15, [(HOSTILE, HOSTILE, 3)],
                      **{"organization-name": HOSTILE, "contact-info": HOSTILE})
        mail = ("From: tlsrpt@evil.example\nSubject: Report\n"
                "Content-Type: application/tlsrpt+json\nMIME-Version: 1.0\n\n")
        process = self.run("--import-report", stdin=mail.encode() + text.encode())
        assert process.returncode == 0, process.stderr.decode()

    def domain(self, name):
        """What the page of a domain is handed, of a site with a single file of domains."""
        return next(each for each in self.value("domains-0") if each["domain"] == name)

    def write(self, *arguments, folder=None):
        """Writes the site; returns what was said."""
        process = self.run("--site", folder or self.site, *arguments)
        assert process.returncode == 0, process.stderr.decode()
        return process.stdout.decode()

    def value(self, name):
        """What a file of data hands to the page."""
        text = (self.site / f"data-{name}.js").read_text(encoding="utf-8")
        assert text.startswith(f'site.take("{name}",\n') and text.endswith(");\n")
        return json.loads(text[text.index("\n"):-3])
