# SPDX-License-Identifier: MIT
"""What the formats of other tools hold, as those tools read it, is what --print-dns=json lists."""

import json
import pathlib
import random

import pytest

from dnstools import read_cloudflare, read_dnscontrol, read_hcl, read_octodns, read_route53
from nameservers import rrsets_of
from provider import BY_ADDRESS, BY_NAME, configuration, mta_stsd

GOLDEN = pathlib.Path(__file__).parents[1] / "data" / "dns"
GOLDEN_FILES = {"json": "records.json", "octodns": "octodns.yaml", "dnscontrol": "dnscontrol.js",
                "terraform-route53": "terraform-route53.tf",
                "terraform-cloudflare": "terraform-cloudflare.tf"}


def random_configuration(pki, seed):
    """Domains of every kind, in zones of their own and of others, with and without certificates."""
    chance = random.Random(seed)
    octets = "abcxyzABC019-._~:/?#[]@$&'()*+=%25%3b"
    rua = ['"https://r.example/' + "".join(chance.choices(octets, k=chance.choice([1, 9, 90, 230])))
           + '"' for _ in range(6)]
    addresses = chance.sample(["192.0.2.1", "192.0.2.20", "2001:DB8::1", "2001:db8:0:0:1::",
                               "1:2:3:4:5:6:7:8", "::FFFF:C000:201"], 4)
    names = [f"{label}{number:0{width}}.{parent}"
             for label in ("a", "a-b", "bücher", "1") for number in (1, 9, 10)
             for width in (1, 2) for parent in ("example", "many.example", "z9.many.example")]
    domains = []
    for name in sorted(set(names)):
        parts = name.split(".")
        keys = {"tls_rpt": f"[{', '.join(chance.sample(rua, chance.randint(1, 6)))}]",
                "zone": ".".join(parts[chance.randrange(len(parts) - 1):]),
                "delegated": chance.choice(["[]", "[mta-sts]", "[tls-rpt]", "[mta-sts, tls-rpt]"]),
                "allow": chance.choice(["[]", "[certificate-missing]"])}
        domains.append(f"  {name}: {{mx: [mx.example.com], " +
                       ", ".join(f"{key}: {value}" for key, value in keys.items()) + "}\n")
    ttl = ", ".join(f"{key}: {chance.choice([0, 1, 59, 60, 300, 86400, 86401, 604800])}"
                    for key in ("mta_sts", "policy_host", "tls_rpt"))
    return (f'certificates: [{{chain: "{pki.folder}/live/{{host}}/fullchain.pem"}}]\n'
            f"policy_host: {{addresses: {json.dumps(addresses)}}}\ndelegation_zone: sts.example\n"
            f"ttl: {{{ttl}}}\ndomains:\n" + "".join(domains))


@pytest.fixture(name="printed", scope="module",
                params=["golden", BY_NAME, BY_ADDRESS, 1, 2, 3],
                ids=["golden", "by name", "by address", "random 1", "random 2", "random 3"])
def printed_records(pki, request, tmp_path_factory):
    """A function from a format's name to what is printed in it."""
    if request.param == "golden":
        return lambda name: (GOLDEN / GOLDEN_FILES[name]).read_text(encoding="ascii")
    folder = tmp_path_factory.mktemp("tools")
    config_path = folder / "mta-stsd.yaml"
    config_path.write_text(random_configuration(pki, request.param)
                           if isinstance(request.param, int)
                           else configuration(pki, folder, request.param), encoding="utf-8")
    return lambda name: mta_stsd(config_path, f"--print-dns={name}")


def wanted(printed, change=lambda record: record):
    records = [change(record) for record in json.loads(printed("json"))]
    withheld = {record["name"] for record in records if record["withheld"]}
    assert withheld and len(withheld) < len(records)
    return rrsets_of(records), withheld


def test_octodns(printed):
    assert read_octodns(printed("octodns")) == wanted(printed)


def test_dnscontrol(printed, tmp_path):
    assert read_dnscontrol(printed("dnscontrol"), tmp_path) == wanted(printed)


def test_terraform_route53(printed, tmp_path):
    assert read_route53(printed("terraform-route53"), tmp_path) == wanted(printed)


def test_terraform_cloudflare(printed, tmp_path):
    def clamped(record):
        return {**record, "ttl": min(max(record["ttl"], 60), 86400)}
    assert read_cloudflare(printed("terraform-cloudflare"), tmp_path) == wanted(printed, clamped)


CHANGES = {
    "new id": ("policy_host: {name: policy.example}", "mode: enforce", 1),
    "delegated": ("policy_host: {name: policy.example}", "delegated: [tls-rpt]", 1),
    "another domain": ("policy_host: {name: policy.example}", "", 2),
    "another address": ('policy_host: {addresses: [192.0.2.9, 192.0.2.1, "::1"]}', "", 1),
    "no certificates": ("policy_host: {name: policy.example}\ncertificates: [{chain: \"/tmp/{host}\"}]",
                        "", 1),
}


@pytest.mark.parametrize("provider", ["route53", "cloudflare"])
@pytest.mark.parametrize("change", CHANGES)
def test_terraform_keeps_its_resources(tmp_path, provider, change):
    """Whatever changes, what is still published keeps its address: nothing is made anew."""
    def addresses(policy_host, keys, n_domains):
        path = tmp_path / "mta-stsd.yaml"
        path.write_text(f"delegation_zone: sts.example\n{policy_host}\ndomains:\n" + "".join(
            f'  d{i}.example: {{mx: [mx.example], tls_rpt: ["mailto:a@b.example"], {keys}}}\n'
            for i in range(n_domains)), encoding="ascii")
        options = [] if "certificates" in policy_host else ["--no-certificates"]
        return set(read_hcl(mta_stsd(path, f"--print-dns=terraform-{provider}", *options),
                            tmp_path))

    before = "policy_host: {name: policy.example}"
    if "addresses" in CHANGES[change][0]:
        before = 'policy_host: {addresses: [192.0.2.1, "::1"]}'
    assert addresses(before, "", 1) <= addresses(*CHANGES[change])
