# SPDX-License-Identifier: MIT
"""What binds a domain to a CA, and a CA to its customers: CAA records, external account binding."""

import pytest

import names
from daemon import run, write_configuration
from front import Front
from names import FRONT, POLICY_HOST, policy_hosts
from ordering import Orderer, settings
from test_list import states

LETS_ENCRYPT = "acme-v02.api.letsencrypt.org"
ACCOUNT = f"https://{LETS_ENCRYPT}/acme/acct/1"


class LetsEncrypt(Front):
    """Pebble by the name and the path of Let's Encrypt, which is what `directory: production` asks."""

    def __init__(self, pki, folder):
        super().__init__(pki)
        self.context.load_cert_chain(*pki.issue(folder, LETS_ENCRYPT))

    def answer(self, handler):
        if handler.path == "/directory":
            handler.path = "/dir"
        return super().answer(handler)


def lead_to(name, address, folder):
    """Has the C library find the address; in DNS the name's zone would be another one."""
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{address} {name}\n", encoding="ascii")
    names.mount(hosts, "/etc/hosts")


def caa(*values, owner="", tag="issue", flags=0):
    return lambda domain: [f'{owner}{domain}. CAA {flags} {tag} "{value}"' for value in values]


def leads_to(target, *more):
    """Not to the policy host's name, but to another one with its address."""
    return lambda domain: [f"mta-sts.{domain}. CNAME {target}.provider.example.",
                           *(line for add in more for line in add(domain))]


# CAA of names that others lead to.
TARGETS = [f"lets.provider A {POLICY_HOST}", 'lets.provider CAA 0 issue "letsencrypt.org"',
           f"other.provider A {POLICY_HOST}", 'other.provider CAA 0 issue "other.example"']

ALLOWED = {
    "none": caa(),
    "named": caa("letsencrypt.org"),
    "case": caa("LetsEncrypt.ORG"),
    "spaces": caa("  letsencrypt.org ; "),
    "one-of-two": caa("other.example", "letsencrypt.org"),
    "nobody-and-one": caa(";", "letsencrypt.org"),
    "wildcards-only": caa(";", tag="issuewild"),
    "wildcards-elsewhere": caa("other.example", tag="issuewild"),
    "mail-only": caa("other.example", tag="issuemail"),
    "report": caa("mailto:hostmaster@provider.example", tag="iodef", flags=128),
    "unknown-tag": caa("other.example", tag="tbs"),
    "method": caa("letsencrypt.org; validationmethods=http-01"),
    "methods": caa("letsencrypt.org;validationmethods=dns-01,http-01"),
    # Whose account that is, the CA knows.
    "account": caa(f"letsencrypt.org; accounturi={ACCOUNT}"),
    # The records at the end of the CNAME are the ones that count (RFC 8659 3).
    "target": leads_to("lets", caa("other.example")),
}

FORBIDDEN = {
    "other": (caa("other.example"), "allows 'other.example', but not letsencrypt.org"),
    "nobody": (caa(";"), "allows no certificate authority to issue"),
    "part-of-name": (caa("encrypt.org"), "allows 'encrypt.org', but not letsencrypt.org"),
    "critical": (caa("letsencrypt.org", tag="tbs", flags=128), "is critical and has the tag 'tbs'"),
    "by-dns": (caa("letsencrypt.org; validationmethods=dns-01"), "does not allow the method http-01"),
    "by-a-longer-name": (caa("letsencrypt.org; validationmethods=x-http-01"), "does not allow the method http-01"),
    "other-wildcard": (lambda domain: [*caa("other.example")(domain),
                                       *caa("letsencrypt.org", tag="issuewild")(domain)],
                       "allows 'other.example', but not letsencrypt.org"),
    "target-other": (leads_to("other", caa("letsencrypt.org")), "allows 'other.example', but not letsencrypt.org"),
}


def test_caa(internet, ca, pki, tmp_path):
    lead_to(LETS_ENCRYPT, FRONT, tmp_path)
    lines = list(TARGETS)
    for name, published in [*ALLOWED.items(), *((name, row[0]) for name, row in FORBIDDEN.items())]:
        domain = f"{name}.example"
        more = published(domain)
        lines += more if any(" CNAME " in line for line in more) else [*policy_hosts(domain), *more]
    allowed, forbidden = ([f"{name}.example" for name in table] for table in (ALLOWED, FORBIDDEN))
    wanted = settings(tmp_path, sorted([*allowed, *forbidden]), acme={"directory": "production"})
    internet.publish(*lines)
    with ca.serving(), LetsEncrypt(pki, tmp_path / "front").serving(), \
            Orderer(tmp_path, wanted) as daemon:
        daemon.wait_served(ca.bundle, *allowed)
        listed = states(daemon)
        for name, (_, why) in FORBIDDEN.items():
            row = listed[f"{name}.example"]
            assert (row["state"], why in row["error"]) == ("waiting", True), row
            assert f"mta-sts.{name}.example" not in ca.log()


BINDING = {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}


def test_external_account_binding(internet, ca, tmp_path):
    """Without the file, with a wrong one and with a right one: what a person reads, and what works."""
    internet.publish(*policy_hosts("one.example"))
    file = tmp_path / "eab"
    with ca.serving(externalAccountBindingRequired=True, externalAccountMACKeys=BINDING):
        with Orderer(tmp_path, settings(tmp_path, ["one.example"])) as daemon:
            said = daemon.log.wait_for("no certificates are ordered")
            assert "acme.external_account_binding" in said
        with_file = settings(tmp_path, ["one.example"], acme={"external_account_binding": str(file)})
        for text in (f"kid-2:{BINDING['kid-1']}\n", "kid-1:c2VjcmV0\n"):
            file.write_text(text, encoding="ascii")
            (tmp_path / "state/acme/orders").unlink()  # the hold
            with Orderer(tmp_path, with_file) as daemon:
                said = daemon.log.wait_for("no certificates are ordered")
                assert "acme.external_account_binding" in said
        key, = BINDING.items()
        file.write_text(":".join(key) + "\n", encoding="ascii")
        (tmp_path / "state/acme/orders").unlink()
        with Orderer(tmp_path, with_file) as daemon:
            daemon.wait_served(ca.bundle, "one.example")


@pytest.mark.parametrize("text", [None, "", "kid-1\n", ":key\n", "kid-1:\n", "kid-1:a b\n"])
def test_bad_binding_file(internet, tmp_path, text):
    """It is no start at all, with the file's name and what is expected in it."""
    del internet
    file = tmp_path / "eab"
    if text is not None:
        file.write_text(text, encoding="ascii")
    (tmp_path / "state").mkdir()
    write_configuration(tmp_path / "mta-stsd.yaml", settings(
        tmp_path, ["one.example"], acme={"external_account_binding": str(file)}))
    done = run("-c", tmp_path / "mta-stsd.yaml")
    assert done.returncode != 0
    said = done.stderr.decode()
    assert str(file) in said
    assert ("No such file" if text is None else "expected KEYID:KEY on one line") in said
