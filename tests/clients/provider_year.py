# SPDX-License-Identifier: MIT
"""A provider with a daemon, its customers' DNS, and senders, all by a clock that the test moves."""

import contextlib
import datetime
import json
import os
import pathlib
import re
import time

from client import fetch, policy_id, tls_context
from nameservers import NAMED_NAME, PROVIDER_ZONE, Named, ask, make_zone
from network import NAMED_FOLDER, POLICY_HOST, RESOLVER
from operated import Operated
from pki import Pki
from processes import eventually, run
from provider import DELEGATION_ZONE, mta_stsd
from senders import lazy_senders, lookup, mta_sts_daemon, refuses
from shifted_clock import ShiftedClock

DAY_S = 86400
CERTIFICATE_DAYS, RENEWED_AFTER_DAYS = 90, 60
SCRIPTS = pathlib.Path(__file__).parents[2] / "config" / "publish"
KEY = NAMED_FOLDER / "provider.key"
N_LAZY_SENDERS = 180
DATE = re.compile(r"(\d+ [A-Z][a-z]+ \d{4}, \d\d:\d\d) UTC")
MX_HOSTS = ["mx1.provider.example", "mx2.provider.example"]


class Refused(AssertionError):
    """A sender does not deliver mail to a host that the domain's MX records name."""


def dates_in(printed):
    return [datetime.datetime.strptime(date, "%d %B %Y, %H:%M")
            .replace(tzinfo=datetime.timezone.utc).timestamp() for date in DATE.findall(printed)]


def date_in(printed):
    """The only date that is printed, in seconds since 1970."""
    date, = set(dates_in(printed))
    return date


class Calendar(ShiftedClock):
    """Begins tomorrow, so that no file is older than what has been written before."""

    def __init__(self, folder):
        super().__init__(folder)
        self.go_to((time.time() // DAY_S + 1) * DAY_S + 9 * 3600)

    def go_to(self, at):
        assert at >= self.now(), "the clock never goes back"
        self.shift(int(at - time.time()) + 1)


def customer_zone(zone, server=NAMED_NAME):
    mail = (f"@ MX 10 {host}." for host in MX_HOSTS)
    return make_zone(zone, *mail, '@ TXT "v=spf1 mx -all"', server=server)


def provider_zones():
    ipv4, ipv6 = POLICY_HOST
    return {"": make_zone("", server=NAMED_NAME),
            "dynamic.example": make_zone("dynamic.example", f"ns A {RESOLVER}", server=NAMED_NAME),
            PROVIDER_ZONE: make_zone(PROVIDER_ZONE, f"policy A {ipv4}", f"policy AAAA {ipv6}",
                                     server=NAMED_NAME),
            DELEGATION_ZONE: make_zone(DELEGATION_ZONE, server=NAMED_NAME)}


def version(path):
    """Differs when a file was replaced; None: there is no file."""
    with contextlib.suppress(FileNotFoundError):
        found = path.stat()
        return found.st_ino, found.st_mtime_ns


class Provider:
    """
    customers  who may join: all have a DNS zone; those in `hosted` have it here, and are not
               delegated, so the provider's key changes their zones too, and no other customer's
    """

    def __init__(self, folder, customers, hosted):
        self.folder, self.hosted = folder, frozenset(hosted)
        self.zones = {**provider_zones(), **{zone: customer_zone(zone) for zone in customers}}
        self.domains = {PROVIDER_ZONE: {"policy": "standard"}}    # as in the configuration
        self.served = {}           # domain: the ids of the policies that were fetched
        self.certificates = {}     # path: the domains in it
        self.begin = self.renewed_at = None
        self.n_begun = 0           # lazy senders
        self.clock = self.daemon = self.lazy = self.pki = None

    @contextlib.contextmanager
    def open(self):
        """The name server goes by the real clock, all else by the one that the test moves."""
        keys = dict.fromkeys([PROVIDER_ZONE, DELEGATION_ZONE, *self.hosted], "provider")
        with contextlib.ExitStack() as stack:
            stack.enter_context(Named(self.zones, keys).serving())
            self.clock = Calendar(self.folder)
            before = dict(os.environ)
            stack.callback(lambda: (os.environ.clear(), os.environ.update(before)))
            os.environ.update(self.clock.environment)
            os.environ["PATH"] = f"{self._make_nsupdate()}:{os.environ['PATH']}"
            self.pki = Pki(self.folder / "pki", "policy.provider.example")
            os.environ["SSL_CERT_FILE"] = str(self.pki.ca)
            (self.folder / "certificates").mkdir()
            self.begin = self.clock.now()
            self.certify("provider", [PROVIDER_ZONE])
            stack.enter_context(mta_sts_daemon(self.folder))
            self.lazy = stack.enter_context(lazy_senders(self.folder, N_LAZY_SENDERS))
            self.start()
            stack.callback(lambda: self.daemon.__exit__())
            yield self

    def _make_nsupdate(self):
        """A signature holds for five minutes of the name server's clock."""
        folder = self.folder / "programs"
        folder.mkdir()
        program = folder / "nsupdate"
        program.write_text('#!/bin/sh\nexec env -u LD_PRELOAD /usr/bin/nsupdate "$@"\n',
                           encoding="ascii")
        program.chmod(0o755)
        return folder

    def settings(self):
        return {
            "user": "root", "admin": "off", "workers": 2,
            "listen": [{"address": f"{POLICY_HOST[0]}:443"},
                       {"address": f"[{POLICY_HOST[1]}]:443"}],
            "state": str(self.folder / "state"), "control": str(self.folder / "control.sock"),
            "certificates": [{"chain": str(path)} for path in self.certificates],
            "policy_host": {"name": f"policy.{PROVIDER_ZONE}"}, "delegation_zone": DELEGATION_ZONE,
            "policies": {"standard": {"mx": MX_HOSTS, "max_age": "2w",
                                      "tls_rpt": ["mailto:tlsrpt@provider.example"]}},
            "on_change": {"run": [str(SCRIPTS / "nsupdate.sh"), "-k", str(KEY)]},
            "domains": self.domains}

    # The clock.

    def go_to(self, at):
        """Renews the certificates on the way, as certbot does."""
        while self.certificates and at - self.renewed_at > RENEWED_AFTER_DAYS * DAY_S:
            self.clock.go_to(self.renewed_at + RENEWED_AFTER_DAYS * DAY_S)
            self.renew()
            self.reload()
        self.clock.go_to(at)
        self.n_begun += 1
        assert self.n_begun <= len(self.lazy)

    def pass_days(self, n_days):
        self.go_to(self.clock.now() + n_days * DAY_S)

    def each_day_until(self, at):
        """The days before this time, and five minutes before it; then it is this time."""
        while self.clock.now() + DAY_S < at - 3600:
            self.pass_days(1)
            yield
        self.go_to(at - 300)
        yield
        self.go_to(at)

    def renew(self):
        for path, domains in self.certificates.items():
            chain, key = self.pki.issue(self.folder / "issued" / path.stem,
                                        *(f"mta-sts.{domain}" for domain in domains),
                                        days=CERTIFICATE_DAYS)
            new = path.with_suffix(".new")
            new.write_bytes(chain.read_bytes() + key.read_bytes())
            new.rename(path)
        self.renewed_at = self.clock.now()

    # The operator.

    def certify(self, name, domains):
        """One certificate for many hosts, as a provider has them made."""
        self.certificates[self.folder / "certificates" / f"{name}.pem"] = domains
        self.renew()

    def entry(self, domain, **keys):
        delegated = {} if domain in self.hosted else {"delegated": ["mta-sts", "tls-rpt"]}
        return {"policy": "standard", **delegated, **keys}

    def ask_reload(self, *arguments):
        done = self.daemon.change(self.settings(), *arguments)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def try_change(self, domains):
        """What --reload --dry-run says; nothing is changed. A domain that is None has left."""
        before, self.domains = self.domains, self._with(domains)
        try:
            return self.ask_reload("--dry-run")
        finally:
            self.domains = before

    def change(self, domains):
        """What --reload says; when it returns, the program of on_change has done its work."""
        watched = [domain for domain in domains if domains[domain]][:3]
        self.domains = self._with(domains)
        with self._published(watched):
            return self.ask_reload()

    def reload(self):
        """Nothing is changed, but the daemon looks whether something may be published."""
        return self.change({})

    def _with(self, domains):
        changed = {**self.domains, **domains}
        return {domain: entry for domain, entry in changed.items() if entry}

    @contextlib.contextmanager
    def _published(self, watched=()):
        """Waits until the daemon has looked what is to be published, and that is published."""
        state = self.folder / "state"
        looked_at = version(state / "published.next"), version(state / "published")
        yield

        def is_published():
            self.domains_with_an_id(watched)
            before, now = looked_at[0], version(state / "published.next")
            if now is None:     # it is `published` now
                return version(state / "published") != looked_at[1]
            changes = json.loads((state / "changes.json").read_text(encoding="ascii"))["changes"]
            return now != before and not changes

        eventually(is_published, "the records are published")

    def start(self):
        with self._published():
            self.daemon = Operated(self.folder, self.settings())
            self.daemon.__enter__()

    def restart(self):
        self.daemon.stop()
        self.start()

    def withdraw(self, domain):
        """Its exit status and what it prints."""
        done = self.daemon.ask("--withdraw", domain)
        return done.returncode, done.stdout.decode()

    # The customers.

    def customers_publish(self):
        """Their CNAMEs, once, in their own zones, as they were told."""
        run("nsupdate", stdin=mta_stsd(self.daemon.config_path, "--print-dns=nsupdate",
                                       "--side=customer"))

    def move_mail(self, domain, host):
        key = ("-k", KEY) if domain in self.hosted else ()
        run("nsupdate", *key, stdin=f"zone {domain}.\nupdate delete {domain} MX\n"
            f"update add {domain} 300 MX 10 {host}.\nsend\n")

    # The senders.

    @staticmethod
    def published_id(domain):
        """By a real query; None: there is no record."""
        answer, _ = ask(RESOLVER, f"_mta-sts.{domain}", "TXT")
        return re.search("id=([0-9a-f]+);", answer["TXT"].to_text())[1] if "TXT" in answer else None

    def await_ids(self, domains):
        eventually(lambda: all(map(self.published_id, domains)), "ids in DNS")

    @staticmethod
    def served_id(domain):
        """By a real fetch."""
        answer = fetch((POLICY_HOST[0], 443), f"mta-sts.{domain}", tls_context())
        assert answer.status == 200
        return policy_id(answer.body)

    def domains_with_an_id(self, domains):
        """Those that have one in DNS; its policy has to be served by now (RFC 8461 8.1)."""
        found = []
        for domain in domains:
            id_ = self.published_id(domain)
            if id_:
                self.served.setdefault(domain, set()).add(self.served_id(domain))
                assert id_ in self.served[domain], f"{domain}: an id that was never served"
                found.append(domain)
        return found

    def answers(self, domain):
        """What Postfix is told by the eager sender, and by each lazy one that has begun.

        One more begins each time the clock has moved, so each day's policy is held by somebody
        for as long as it may be.
        """
        told = {"eager": lookup("postfix", domain)}
        for number, address in enumerate(self.lazy[:self.n_begun]):
            told[number] = lookup("postfix", domain, address)
        return told

    def deliver(self, *domains):
        """All senders send to each host that the MX records name now; raises Refused."""
        for domain in domains:
            hosts = [mx.exchange.to_text(omit_final_dot=True)
                     for mx in ask(RESOLVER, domain, "MX")[0]["MX"]]
            for sender, answer in self.answers(domain).items():
                for host in hosts:
                    if refuses(answer, host):
                        raise Refused(f"sender {sender}, which holds '{answer}', refuses {host}")
