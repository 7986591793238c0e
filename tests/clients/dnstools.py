# SPDX-License-Identifier: MIT
"""The formats of DNS tools, read as the tools read them.

Each reader returns what the tool would publish, as nameservers.transfer() does, and the names whose
records it would leave alone, whether there are any or not.
"""

import functools
import json
import os
import pathlib
import re

import dns.rdata
import natsort
import yaml

from processes import run

FOLDER = pathlib.Path(__file__).parent


def wire(kind, presentation):
    return dns.rdata.from_text("IN", kind, presentation).to_wire()


def txt(value):
    """The bytes of a TXT where the tool itself splits it."""
    data = value.encode("ascii")
    pieces = [data[at:at + 255] for at in range(0, len(data), 255)] or [b""]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces)


class Zones:
    """Collects what a reader finds; a record that comes twice is an error."""

    def __init__(self):
        self.rrsets, self.withheld = {}, set()

    def publish(self, name, kind, ttl, rdata):
        known_ttl, members = self.rrsets.setdefault((name, kind), (ttl, set()))
        assert known_ttl == ttl and rdata not in members, (name, kind)
        members.add(rdata)

    def withhold(self, name):
        assert name not in self.withheld
        self.withheld.add(name)

    def found(self):
        return self.rrsets, self.withheld


def read_octodns(text):
    """By octodns.readthedocs.io: "records", and enforce_order of its YamlProvider."""
    zones = Zones()
    for document in text.split("---\n")[1:]:
        zone = re.match(r"# Zone (\S+), ", document)[1]
        entries = yaml.safe_load(document)
        assert list(entries) == natsort.natsorted(entries)
        assert sum(not line.startswith(("#", " ", "-")) for line in document.splitlines()) == \
            len(entries), "a name comes twice"
        for name, records in entries.items():
            for record in records:
                add_octodns_record(zones, f"{name}.{zone}".lstrip("."), record)
    return zones.found()


def add_octodns_record(zones, name, record):
    assert list(record) == natsort.natsorted(record)
    kind = record["type"]
    if record.get("octodns") == {"ignored": True}:
        assert kind == "TXT"
        zones.withhold(name)
        return
    assert set(record) == {"ttl", "type", "value" if kind == "CNAME" else "values"}
    for value in record.get("values") or [record["value"]]:
        if kind == "TXT":
            assert not re.search(r"[^\\];|\\\\;", value), "';' is escaped once"
        zones.publish(name, kind, record["ttl"],
                      txt(value.replace("\\;", ";")) if kind == "TXT" else wire(kind, value))


def read_dnscontrol(text, folder):
    """By a JavaScript engine of ES5, as DNSControl's is, with functions that note their arguments."""
    zones, names = Zones(), re.findall(r'^D_EXTEND\("(\S+)", ', text, re.MULTILINE)
    printed, main = folder / "printed.js", folder / "dnsconfig.js"
    printed.write_text(text, encoding="ascii")
    main.write_text("".join(f"D({json.dumps(name)});\n" for name in names), encoding="ascii")
    for line in run("duk", FOLDER / "dnscontrol.js", main, printed).splitlines():
        call = json.loads(line)
        for member in call["members"]:
            name = member.get("ignored", member.get("name"))
            name = call["zone"] if name == "@" else f"{name}.{call['zone']}"
            if "ignored" in member:
                assert member["types"] == ["TXT", "CNAME"]
                zones.withhold(name)
            else:
                kind, value = member["type"], member["value"]
                zones.publish(name, kind, member["ttl"],
                              txt(value) if kind == "TXT" else wire(kind, value))
    return zones.found()


def read_hcl(text, folder):
    """The blocks of a file, {address: attributes}, by HashiCorp's parser: see hcl.go."""
    path = folder / "printed.tf"
    path.write_text(text, encoding="ascii")
    return json.loads(run(hcl_reader(), path))


@functools.cache
def hcl_reader():
    """The program hcl.go, built with the packages of Debian alone."""
    folder = pathlib.Path(os.environ["MTA_STSD"]).parents[1] / "go"  # for all presets
    go = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOENV": "off",
          "GOFLAGS": "", "GOCACHE": str(folder / "cache"), "CGO_ENABLED": "0"}
    run("go", "build", "-o", folder / "hcl", FOLDER / "hcl.go", env=go, deadline_s=200)
    return folder / "hcl"


def resources(blocks, kind):
    """The resources of a file, and that each lies in the zone that its data source finds."""
    zones = set()
    for address, block in blocks.items():
        if address.startswith("data."):
            continue
        assert address.startswith(f"resource.{kind}.")
        data = blocks[block["zone_id"].removesuffix(".zone_id")]
        zone = data.get("filter", data)["name"].rstrip(".")
        assert f".{block['name']}".endswith(f".{zone}")
        zones.add(zone)
        yield block
    assert len(zones) == sum(address.startswith("data.") for address in blocks)


def wire_of_whole(kind, presentation):
    """Terraform's providers take a target as it stands: whole, without a final dot."""
    return wire(kind, f"{presentation}." if kind == "CNAME" else presentation)


def is_withheld(block):
    """Terraform neither makes nor destroys it (meta-arguments count and lifecycle)."""
    if "count" not in block and "lifecycle" not in block:
        return False
    assert (block["count"], block["lifecycle"]) == (0, {"prevent_destroy": True})
    return True


def read_route53(text, folder):
    """By the documentation of aws_route53_record, which puts the outer quotes around a TXT."""
    zones = Zones()
    for block in resources(read_hcl(text, folder), "aws_route53_record"):
        if is_withheld(block):
            zones.withhold(block["name"])
            continue
        assert set(block) == {"zone_id", "name", "type", "ttl", "records"}
        for value in block["records"]:
            presentation = f'"{value}"'.replace('""', '" "') if block["type"] == "TXT" else value
            zones.publish(block["name"], block["type"], block["ttl"],
                          wire_of_whole(block["type"], presentation))
    return zones.found()


def read_cloudflare(text, folder):
    """By the documentation of cloudflare_dns_record, provider 5, and of the API's "content"."""
    zones = Zones()
    for block in resources(read_hcl(text, folder), "cloudflare_dns_record"):
        if is_withheld(block):
            zones.withhold(block["name"])
            continue
        kind = block["type"]
        assert block.get("proxied") is (None if kind == "TXT" else False)
        assert set(block) - {"proxied"} == {"zone_id", "name", "type", "ttl", "content"}
        zones.publish(block["name"], kind, block["ttl"], wire_of_whole(kind, block["content"]))
    return zones.found()
