# SPDX-License-Identifier: MIT
"""Domains with one fault each, and the codes that a check has to find there: these and no others.

Each differs from good.example in what its line says.
"""

from authority import FOREIGN_DS, Zone
from network import CLOSED, DAEMON, HOST, NGINX, OLD_NGINX, OTHER_NGINX, SCRIPTED
from scenarios_mx import MX_SCENARIOS
from web import Site, response

TXT = '"v=STSv1; id=20261129;"'
MX_HOST = "mx1.provider.example."
RPT = '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:reports@provider.example"'


def policy(*mx, mode="enforce", max_age="1209600", end="\r\n", more=()):
    lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {name}" for name in mx),
             f"max_age: {max_age}", *more]
    return "".join(line + end for line in lines).encode()


GOOD_POLICY = policy("mx1.provider.example")


class Scenario:
    def __init__(self, *codes, record=f"_mta-sts TXT {TXT}", host=None, mx=f"@ MX 10 {MX_HOST}",
                 rpt=RPT, more=(), body=GOOD_POLICY, verdict="enforced", script=None, sites=None,
                 zone=None, **site):
        host = host or [f"mta-sts A {NGINX[0]}", f"mta-sts AAAA {NGINX[1]}"]
        host = [f"mta-sts A {SCRIPTED}"] if script else host
        self.codes, self.verdict, self.script = set(codes), verdict, script
        lines = [record, *host, mx, rpt, *more]
        self.zone = Zone(*(line for line in lines if line), **(zone or {}))
        self.sites = sites or ([] if script else [Site(body, **site)])


class NoDomain(Scenario):
    """A name that DNS does not have."""

    def __init__(self, *codes, verdict):
        super().__init__(*codes, verdict=verdict, sites=[])
        self.zone, self.sites = None, []


def slow(delay_s):
    def script(connection, wait):
        wait(delay_s)
        connection.sendall(response(GOOD_POLICY))
    return script


def cut_off(connection, _):
    connection.sendall(response(GOOD_POLICY)[:-20])


def compressed(connection, _):
    connection.sendall(response(GOOD_POLICY, "Content-Encoding: br"))


def only_with_alpn(connection, _):
    if connection.selected_alpn_protocol() is not None:
        connection.sendall(response(GOOD_POLICY))


def broken_http2(connection, _):
    if connection.selected_alpn_protocol() != "h2":
        connection.sendall(response(GOOD_POLICY))


broken_http2.alpn = ["h2", "http/1.1"]


def alone(number, *codes, **site):
    """At an address for itself, where other sites have no say."""
    return Scenario(*codes, host=[f"mta-sts A {HOST[number]}"], addresses=[HOST[number]], **site)


LONG = policy(*(f"mx{i:03}.{'x' * 60}.provider.example" for i in range(140)),
              "mx1.provider.example")
LONGISH = policy(*(f"mx{i:03}.{'x' * 60}.provider.example" for i in range(60)),
                 "mx1.provider.example")
HUGE = GOOD_POLICY + b"".join(b"extension%05d: %s\r\n" % (i, b"x" * 200) for i in range(400))

SCENARIOS = {
    "good.example": Scenario(),
    # the record
    "no-record.example": Scenario("txt-missing", record="", verdict="absent"),
    "only-spf.example": Scenario("txt-missing", record='_mta-sts TXT "v=spf1 -all"',
                                 verdict="absent"),
    "bogus.example": Scenario("txt-bogus", "host-bogus", "mx-bogus", "tls-rpt-failed",
                              verdict="ignored", zone={"ds": FOREIGN_DS}),
    "deaf.example": Scenario("txt-failed", "host-failed", "mx-failed", "tls-rpt-failed",
                             verdict="unknown", zone={"servers": ("deaf",)}),
    "bad-id.example": Scenario("txt-syntax", record='_mta-sts TXT "v=STSv1; id=2026-11-29;"',
                               verdict="ignored"),
    "no-id.example": Scenario("txt-syntax", record='_mta-sts TXT "v=STSv1;"', verdict="ignored"),
    "bad-version.example": Scenario("txt-syntax", record='_mta-sts TXT "v=STSV1; id=1;"',
                                    verdict="ignored"),
    "mode-in-record.example": Scenario("txt-syntax", verdict="ignored",
                                       record='_mta-sts TXT "v=STSv1; id=1; mode: enforce;"'),
    "two-records.example": Scenario("txt-several", verdict="ignored",
                                    more=['_mta-sts TXT "v=STSv1; id=1;"']),
    "beside-spf.example": Scenario("txt-others", more=['_mta-sts TXT "v=spf1 -all"']),
    "loose.example": Scenario("txt-loose-version", record='_mta-sts TXT "v=STSv1 ; id=1;"'),
    "quoted.example": Scenario("txt-quotes", record=r'_mta-sts TXT "\"v=STSv1; id=1;\""',
                               verdict="ignored"),
    "typographic.example": Scenario(
        "txt-quotes", verdict="ignored",
        record=r'_mta-sts TXT "\226\128\156v=STSv1; id=1;\226\128\157"'),
    "backslash.example": Scenario("txt-backslash", verdict="ignored",
                                  record=r'_mta-sts TXT "v=STSv1\092; id=1\092;"'),
    "backslash-quote.example": Scenario("txt-backslash", verdict="ignored",
                                        record=r'_mta-sts TXT "v=STSv1; id=\092\"1\092\";"'),
    "split.example": Scenario("txt-split", record='_mta-sts TXT "v=STSv1;" " id=20261129;"'),
    "long-record.example": Scenario(
        record=f'_mta-sts TXT "v=STSv1; id=1; x={"y" * 240}" "{"y" * 20};"'),
    "cname-beside.example": Scenario("txt-cname-beside", zone={"servers": ("broken",)}),
    "doubled.example": Scenario("txt-doubled-name", verdict="ignored",
                                record=f"_mta-sts.doubled.example TXT {TXT}"),
    "apex.example": Scenario("txt-wrong-name", record=f"@ TXT {TXT}", verdict="ignored"),
    "underscore.example": Scenario("txt-wrong-name", record=f"mta-sts TXT {TXT}",
                                   verdict="ignored"),
    "cname-doubled.example": Scenario(
        "txt-cname-doubled", record="_mta-sts CNAME _mta-sts.provider.example", verdict="ignored"),
    "dangling.example": Scenario("txt-cname-dangling", verdict="ignored",
                                 record="_mta-sts CNAME nowhere.provider.example."),
    "half-delegated.example": Scenario("txt-delegated-alone",
                                       record="_mta-sts CNAME sts.provider.example."),
    "delegated.example": Scenario(record="_mta-sts CNAME sts.provider.example.",
                                  host=["mta-sts CNAME policies.provider.example."]),
    "own-cname.example": Scenario(record="_mta-sts CNAME sts", more=[f"sts TXT {TXT}"]),
    "wildcard.example": Scenario("txt-wildcard", record=f"* TXT {TXT}"),
    "own-record.example": Scenario(more=[f"* TXT {TXT}"]),
    "wild-cname.example": Scenario("txt-missing", "tls-rpt-missing", record="", rpt="", sites=[],
                                   host=["* CNAME www", f"www A {NGINX[0]}"], verdict="absent"),
    "wild-nowhere.example": Scenario("txt-missing", "tls-rpt-missing", record="", rpt="",
                                     host=["* CNAME gone.provider.example."], verdict="absent",
                                     sites=[]),
    "long-ttl.example": Scenario("txt-ttl-long", record=f"_mta-sts 604800 TXT {TXT}"),
    "two-servers.example": Scenario(zone={"servers": ("ns", "ns2")}),
    "lagging.example": Scenario("txt-servers-differ", zone={
        "servers": ("ns", "ns2"), "second": ['_mta-sts TXT "v=STSv1; id=before;"']}),
    "lame.example": Scenario("txt-server-silent", zone={"servers": ("ns", "deaf")}),
    # the policy host in DNS
    "no-host.example": Scenario("host-missing", host=["www A 45.67.89.1"], verdict="ignored"),
    "host-doubled.example": Scenario("host-cname-doubled", verdict="ignored",
                                     host=["mta-sts CNAME policy.provider.example"]),
    "ipv6-only.example": Scenario("host-ipv6-only", host=[f"mta-sts AAAA {NGINX[1]}"]),
    "private.example": Scenario("address-special", host=["mta-sts A 10.0.0.1"], verdict="unknown"),
    "not-routed.example": Scenario("address-not-routed",
                                   host=[f"mta-sts A {NGINX[0]}", "mta-sts AAAA 2a0f::1"]),
    "closed.example": Scenario("host-unreachable", host=[f"mta-sts A {CLOSED}"],
                               verdict="ignored"),
    "half-closed.example": Scenario("host-unreachable",
                                    host=[f"mta-sts A {NGINX[0]}", f"mta-sts A {CLOSED}"]),
    "wild-host.example": Scenario("host-wildcard", host=[f"* A {NGINX[0]}", f"* AAAA {NGINX[1]}"]),
    "wild-ipv6.example": Scenario("host-wildcard", "host-ipv6-only", host=[f"* AAAA {NGINX[1]}"]),
    "wild-host-cname.example": Scenario("host-wildcard",
                                        host=["* CNAME www", f"www A {NGINX[0]}"]),
    "own-host.example": Scenario(more=[f"* A {NGINX[0]}", f"* AAAA {NGINX[1]}"]),
    "own-host-cname.example": Scenario(host=["mta-sts CNAME www", "* CNAME www",
                                             f"www A {NGINX[0]}"]),
    # TLS
    "parked.example": Scenario("tls-refused", host=[f"mta-sts A {DAEMON[0]}"], verdict="ignored",
                               sites=[]),
    "never-hosted.example": Scenario("tls-refused", verdict="ignored", sites=[],
                                     host=["mta-sts CNAME policy.provider.example."]),
    "parking.example": Scenario("host-wildcard", "cert-name", "http-type", "policy-syntax", chain="name", verdict="ignored",
                                host=[f"* A {NGINX[0]}"], body=b"<html>for sale</html>",
                                media_type="text/html"),
    "tls-old.example": Scenario("tls-old", host=[f"mta-sts A {OLD_NGINX}"], verdict="ignored",
                                addresses=[OLD_NGINX], protocols="TLSv1 TLSv1.1"),
    "any-policy.example": alone(1, "host-any-policy", others="policy"),
    "any-certificate.example": alone(2, "host-any-certificate", others="certificate"),
    "own-address.example": alone(3),
    "only-1-2.example": alone(4, "tls-only-1-2", protocols="TLSv1.2"),
    "only-1-3.example": alone(5, "tls-only-1-3", protocols="TLSv1.3"),
    "cert-name.example": Scenario("cert-name", chain="name", verdict="ignored"),
    "sub.depth.example": Scenario("cert-name", chain="wildcard", verdict="ignored"),
    "cert-expired.example": Scenario("cert-expired", chain="expired", verdict="ignored"),
    "cert-future.example": Scenario("cert-not-yet-valid", chain="future", verdict="ignored"),
    "cert-expiring.example": Scenario("cert-expiring", chain="expiring"),
    "cert-self.example": Scenario("cert-self-signed", chain="self", verdict="ignored"),
    "cert-chain.example": Scenario("cert-chain", chain="leaf-alone", verdict="ignored"),
    "cert-untrusted.example": Scenario("cert-untrusted", chain="untrusted", verdict="ignored"),
    # HTTP
    "cut-off.example": Scenario("http-broken", script=cut_off, verdict="ignored"),
    "not-found.example": Scenario("http-status", directives="return 404;", verdict="ignored"),
    "accepted.example": Scenario("http-status", directives='return 202 "x";', verdict="ignored"),
    "redirect.example": Scenario("http-redirect", verdict="ignored",
                                 directives="return 302 https://mta-sts.good.example/;"),
    "html.example": Scenario("http-type", media_type="text/html",
                             verdict="ignored"),
    "no-type.example": Scenario("http-type", media_type="''",
                                verdict="ignored"),
    "compressed.example": Scenario("http-encoded", script=compressed),
    "only-with-alpn.example": Scenario("http-version", "http-1-0", script=only_with_alpn),
    "broken-http2.example": Scenario("http-version", script=broken_http2),
    "http2.example": alone(6, options="ssl http2"),
    "no-http-1-0.example": alone(7, "http-1-0", directives=(
        'if ($server_protocol = HTTP/1.0) { return 426; }')),
    "partial.example": alone(8, "http-partial", conditions="etag off; if_modified_since off;"),
    "changed.example": alone(9, "http-partial", conditions="max_ranges 0;"),
    "no-agent.example": alone(10, "http-user-agent",
                              directives='if ($http_user_agent = "") { return 403; }'),
    "bots.example": alone(11, "http-user-agent", directives=(
        'if ($http_user_agent ~ "^(Go-http-client|libwww|postfix-)") { return 403; }')),
    "challenge.example": alone(12, "http-user-agent", directives=(
        'if ($http_user_agent ~ "^Google") { return 200 "<html>are you human?"; }')),
    "timeout.example": Scenario("http-timeout", script=slow(60), verdict="ignored"),
    "slow-ish.example": Scenario("http-slow-ish", script=slow(2.5)),
    "slow.example": Scenario("http-slow", script=slow(4.5)),
    "long.example": Scenario("body-large", "mx-pattern-unused", body=LONG),
    "long-ish.example": Scenario("body-long", "mx-pattern-unused", body=LONGISH),
    "huge.example": Scenario("body-too-large", body=HUGE, verdict="ignored"),
    # the policy
    "empty.example": Scenario("policy-syntax", body=b"", verdict="ignored"),
    "mx-mail-address.example": Scenario("policy-syntax", body=policy("a@mx1.provider.example"),
                                        verdict="ignored"),
    "mx-final-dot.example": Scenario("policy-syntax", body=policy("mx1.provider.example."),
                                     verdict="ignored"),
    "mx-empty.example": Scenario("policy-syntax", body=policy(""), verdict="ignored"),
    "no-mode.example": Scenario("policy-syntax", body=policy("mx1.provider.example", mode=""),
                                verdict="ignored"),
    "lf.example": Scenario(body=policy("mx1.provider.example", end="\n")),
    "two-policies.example": Scenario(
        "policy-differs", host=[f"mta-sts A {NGINX[0]}", f"mta-sts A {OTHER_NGINX}"],
        sites=[Site(GOOD_POLICY), Site(policy("mx1.provider.example", max_age="1300000"),
                                       addresses=[OTHER_NGINX])]),
    "field.example": Scenario("policy-field",
                              body=policy("mx1.provider.example", more=["nmx: mx2.provider.example"])),
    "pattern.example": Scenario("policy-mx-pattern", "mx-pattern-unused",
                                body=policy("mx1.provider.example", "smtp.gmail.com")),
    "third-label.example": Scenario(
        "policy-mx-pattern", "mx-all-elsewhere", "mx-pattern-unused", verdict="lost",
        body=policy("mta-sts.third-label.example")),
    "short-lived.example": Scenario("max-age", body=policy("mx1.provider.example", max_age="3600")),
    "week.example": Scenario("max-age-note", body=policy("mx1.provider.example", max_age="604800")),
    "testing.example": Scenario("mode-testing", verdict="testing",
                                body=policy("mx1.provider.example", mode="testing")),
    "none.example": Scenario("mode-none", verdict="none",
                             body=policy("mx1.provider.example", mode="none", max_age="86400")),
    "bare-none.example": Scenario("mode-none", "none-without-mx", verdict="none",
                                  body=policy(mode="none", max_age="86400")),
    # the MX records
    "mistyped.example": NoDomain("txt-missing", "mx-no-domain", "tls-rpt-missing", verdict="absent"),
    "implicit.example": Scenario("mx-implicit", mx="@ A 45.67.89.63",
                                 body=policy("implicit.example")),
    "null-mx.example": Scenario("mx-null", mx="@ MX 0 ."),
    "wild-mx.example": Scenario("mx-wildcard", more=[f"* MX 10 {MX_HOST}"]),
    "wild-mx-with-policy.example": Scenario(
        "txt-wildcard", record="", more=[f"* MX 10 {MX_HOST}", f"* TXT {TXT}"]),
    "wild-null-mx.example": Scenario(more=["* MX 0 ."]),
    "mx-address.example": Scenario("mx-address", "mx-all-elsewhere", "mx-pattern-unused",
                                   mx="@ MX 10 45.67.89.61.", verdict="lost"),
    "backup.example": Scenario("mx-not-in-policy", more=["@ MX 20 mx2.provider.example."],
                               verdict="partly-lost"),
    "moved.example": Scenario("mx-all-elsewhere", "mx-pattern-unused", verdict="lost",
                              body=policy("mail.old-provider.example")),
    "typo.example": Scenario("mx-all-elsewhere", "mx-near-miss", verdict="lost",
                             body=policy("mx1.provdier.example")),
    "other-tld.example": Scenario("mx-all-elsewhere", "mx-near-miss", verdict="lost",
                                  body=policy("mx1.provider.test")),
    "one-label.example": Scenario("mx-all-elsewhere", "mx-near-miss", verdict="lost",
                                  body=policy("*.example")),
    "spare-pattern.example": Scenario("mx-pattern-unused",
                                      body=policy("mx1.provider.example", "*.spare.example")),
    "unready.example": Scenario("mode-testing", "mx-not-in-policy", "enforce-would-lose",
                                verdict="testing-unready", more=["@ MX 20 mx2.provider.example."],
                                body=policy("mx1.provider.example", mode="testing")),
    # TLS reporting
    "no-reports.example": Scenario("tls-rpt-missing", rpt=""),
    "reports-syntax.example": Scenario("tls-rpt-syntax",
                                       rpt='_smtp._tls TXT "v=TLSRPTv1; ruf=mailto:a@b.example"'),
    "reports-with-limit.example": Scenario(
        "tls-rpt-syntax",
        rpt='_smtp._tls TXT "v=TLSRPTv1; rua=mailto:reports@provider.example!10m"'),
    "reports-split.example": Scenario(
        "txt-split", rpt='_smtp._tls TXT "v=TLSRPTv1;" "rua=mailto:reports@provider.example"'),
    "reports-wild.example": Scenario("tls-rpt-wildcard", rpt=RPT.replace("_smtp._tls", "*")),
    "reports-not-wild.example": Scenario(more=[RPT.replace("_smtp._tls", "*")]),
    "reports-old-name.example": Scenario("tls-rpt-missing", "tls-rpt-old-name",
                                         rpt=RPT.replace("_smtp._tls", "_smtp-tlsrpt")),
    "reports-twice.example": Scenario("rua-twice", rpt=RPT.replace(
        "rua=", "rua=mailto:Reports@provider.example,")),
    "reports-many.example": Scenario("too-many-records", rpt=RPT.replace("rua=", "rua=" + "".join(
        f"mailto:{letter}@provider.example," for letter in "abcdefghij"))),
    "reports-to-itself.example": Scenario("rua-own-domain", rpt=RPT.replace(
        "provider.example", "reports-to-itself.example")),
    "reports-elsewhere-too.example": Scenario(rpt=RPT.replace(
        "rua=", "rua=mailto:a@reports-elsewhere-too.example,")),
    "reports-fail.example": Scenario(
        "rua-failing-way", "mx-all-elsewhere", "mx-pattern-unused", verdict="lost",
        rpt=RPT.replace("provider.example", "reports-fail.example"),
        body=policy("mail.old-provider.example")),
    "reports-doubtful.example": Scenario(
        "rua-doubtful", rpt='_smtp._tls TXT "v=TLSRPTv1; rua=mailto:a@[45.67.89.1]"'),
    "reports-lost.example": Scenario(
        "rua-no-mx", rpt='_smtp._tls TXT "v=TLSRPTv1; rua=mailto:a@gone.provider.example"'),
    "reports-by-https.example": Scenario(
        rpt='_smtp._tls TXT "v=TLSRPTv1; rua=https://mta-sts.good.example/tlsrpt"'),
    "reports-refused.example": Scenario(
        "rua-unreachable", rpt='_smtp._tls TXT "v=TLSRPTv1; rua=https://gone-web.provider.example/"'),
    "reports-bad-cert.example": Scenario(
        "rua-unreachable", rpt='_smtp._tls TXT "v=TLSRPTv1; rua=https://mta-sts.cert-self.example/"'),
    "reports-nowhere.example": Scenario(
        "rua-unreachable", rpt='_smtp._tls TXT "v=TLSRPTv1; rua=https://gone.provider.example/"'),
}


class Ours(Scenario):
    """A domain of our own daemon. Its records are those of --print-dns but for what is replaced.

    replaced  {"_mta-sts": lines instead of the printed record, ...}
    """

    def __init__(self, *codes, replaced=None, mx=f"@ MX 10 {MX_HOST}", verdict="enforced",
                 settings="standard"):
        super().__init__(*codes, mx=mx, verdict=verdict, sites=[])
        self.replaced, self.mx, self.settings = replaced or {}, mx, settings

    def publish(self, domain, records):
        """records  of --print-dns=json"""
        lines = [self.mx]
        for record in records:
            label = record["name"].removesuffix("." + domain)
            value = record["value"]
            value = f'"{value}"' if record["type"] == "TXT" else f"{value}."
            lines += self.replaced.get(label, [f"{label} {record['type']} {value}"])
        self.zone = Zone(*lines)


OURS = {
    "ours.example": Ours(),
    "ours-stale.example": Ours("id-not-ours",
                               replaced={"_mta-sts": ['_mta-sts TXT "v=STSv1; id=old;"']}),
    "ours-elsewhere.example": Ours("host-elsewhere", "policy-not-ours",
                                   replaced={"mta-sts": [f"mta-sts A {NGINX[0]}"]}),
    "ours-reports.example": Ours(
        "tls-rpt-not-ours", replaced={
            "_smtp._tls": ['_smtp._tls TXT "v=TLSRPTv1; rua=mailto:old@provider.example"']}),
    "ours-beside.example": Ours("txt-several", verdict="ignored", replaced={
        "_mta-sts": [f"_mta-sts TXT {TXT}", '_mta-sts TXT "v=STSv1; id=2;"']}),
    "ours-unpublished.example": Ours(
        "txt-missing", "tls-rpt-missing", verdict="absent",
        replaced={"_mta-sts": [], "mta-sts": [], "_smtp._tls": []}),
    "ours-left.example": Ours("mx-all-elsewhere", "mx-pattern-unused", verdict="lost",
                              mx="@ MX 10 dane.mail.example."),
    "ours-reporting.example": Ours(
        verdict="absent",
        settings={"mta_sts": False, "tls_rpt": ["mailto:reports@provider.example"]}),
}
OURS["ours-elsewhere.example"].sites = [Site(GOOD_POLICY + b"other: x\r\n")]
SCENARIOS.update(OURS)
SCENARIOS["reports-to-broken.example"] = Scenario(
    "mx-cert-expired", "rua-failing-way", mx="@ MX 10 mx-expired.mail.example.", verdict="lost",
    body=policy("mx-expired.mail.example"),
    rpt=RPT.replace("provider.example", "mx-expired.example"))
SCENARIOS.update({f"{name}.example": Scenario(
    *each.codes, mx=f"@ MX 10 {each.name}.", body=policy(each.name, *each.beside),
    more=[f"@ MX 20 {host}." for host in each.beside], verdict=each.verdict,
    zone={"signed": each.signed}) for name, each in MX_SCENARIOS.items()})
PROVIDER_ZONES = {
    "provider.example": Zone(f"gone-web A {CLOSED}", f"policy A {DAEMON[0]}", f"policy AAAA {DAEMON[1]}",
                             f"sts TXT {TXT}", f"policies A {NGINX[0]}", f"policies AAAA {NGINX[1]}",
                             "@ MX 10 mx1", "mx1 A 45.67.89.61", "mx2 A 45.67.89.62", signed=True),
}
