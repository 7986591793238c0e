# SPDX-License-Identifier: MIT
"""The man pages say what the program has, all of it and nothing else, and their examples run."""

import json
import re
import shlex
import subprocess

import pytest

from client import policy_body
from daemon import ROOT, run
from operated import configuration, operate_in_test  # noqa: F401

PAGES = {name: (ROOT / "docs" / name).read_text(encoding="utf-8")
         for name in ("mta-stsd.8", "mta-stsd-acme-hook.8", "mta-stsd-check.8", "mta-stsd-reports.8",
                      "mta-stsd.yaml.5")}
README = (ROOT / "README.md").read_text(encoding="utf-8")
KEY = re.compile(r"^\.It Cm ([a-z_.]+) Pq ([a-z ]+)\n(.*?)(?=^\.(?:It|El|Bl))",
                 re.MULTILINE | re.DOTALL)
FINDING = re.compile(r"^\.It Cm ([a-z0-9-]+)\n(.*?)(?=^\.(?:It|El))", re.MULTILINE | re.DOTALL)
FINDING_ROW = re.compile(r'\[FINDING_\w+\] =\s*\{"([a-z0-9-]+)",\s*LEVEL_(\w+),\s*'
                         r'((?:"[^"]*"\s*)+)\}')
METRICS = re.compile(r'print_(?:family|single|head)\((?:out, )?"(?:mtasts_)?([a-z0-9_]+)"')
BLOCK = re.compile(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", re.MULTILINE | re.DOTALL)
# Commands of README: in a line of their own, or in `` within one. ./dev's are CI's own.
COMMAND = re.compile(r"^    (mta-stsd.*)$|`((?:mta-stsd|man) [^`]*)`", re.MULTILINE)


def section(page, title):
    return re.search(rf"^\.S[hs] {title}\n(.*?)(?=^\.S[hs]|\Z)", PAGES[page],
                     re.MULTILINE | re.DOTALL)[1]


@pytest.mark.parametrize("page", PAGES)
def test_lint(page):
    subprocess.run(["mandoc", "-T", "lint", "-W", "warning", ROOT / "docs" / page], check=True)


def test_modes_and_options():
    wanted = set(re.findall(r"--([a-z-]+)", run("--help").stdout.decode()))
    assert set(re.findall(r"^\.It (?:Fl \w , )?Fl -([a-z-]+)", PAGES["mta-stsd.8"],
                          re.MULTILINE)) == wanted


@pytest.mark.parametrize("mode, page", [("--check", "mta-stsd-check.8"),
                                        ("--reports", "mta-stsd-reports.8")])
def test_options_of_other_programs(mode, page):
    wanted = set(re.findall(r"^ +(?:-c, )?--([a-z-]+)", run(mode, "--help").stdout.decode(),
                            re.MULTILINE))
    assert set(re.findall(r"^\.It (?:Fl \w , )?Fl -([a-z-]+)", PAGES[page],
                          re.MULTILINE)) == wanted


def test_findings_of_check():
    """Code, severity, what senders do and what to do, as --list-checks has them."""
    described = re.findall(r"^\.It Li ([a-z0-9-]+) Pq (\w+)\n(.*)\.\n(.*)\.\n\.Pq (.*)$",
                           PAGES["mta-stsd-check.8"], re.MULTILINE)
    listed = json.loads(run("--list-checks", "--json").stdout)
    assert [[code, severity, meaning.lower(), advice.lower(), source]
            for code, severity, meaning, advice, source in described] == \
        [[row["code"], row["severity"], row["meaning"].lower(), row["advice"].lower(),
          row["source"]] for row in listed]


def test_notices():
    """Members and kinds of the document, in their order."""
    page = section("mta-stsd.8", "NOTICES")
    source = (ROOT / "src/daemon/notify/notice_document.c").read_text(encoding="utf-8")
    members = set(re.findall(r'(?:json_key|_member)\(&?writer, "(\w+)"', source))
    assert set(re.findall(r"^\.It Li (\w+)$", page, re.MULTILINE)) == \
        members - {"open", "began", "ended"}  # those of the digest
    kinds = re.findall(r'= "(\w+)"', (ROOT / "src/lib/state/condition.c").read_text().split(
        "condition_words[CONDITION_KIND_COUNT] = {")[1].split("}")[0])
    assert re.findall(r"^\.It Cm (\w+)$", page, re.MULTILINE) == kinds
    example = json.loads(BLOCK.search(page)[1])
    assert {*example, *example["notices"][0]} | {"digest", "until", "open", "began",
                                                 "ended"} == members


def test_formats():
    listed = run("--help").stdout.decode().split("Formats of --print-dns:\n")[1].split("\n\n")[0]
    assert re.findall(r"^\.It Cm ([a-z0-9-]+)$", section("mta-stsd.8", "DNS"), re.MULTILINE) == \
        [line.split()[0] for line in listed.splitlines()]


def keys_of(schema, prefix=""):
    """What is below a mapping of the schema, by the name that the page has for it."""
    for key, value in schema.get("properties", {}).items():
        below = value.get("items", value)
        if "properties" in below or "properties" in value.get("additionalProperties", {}):
            inner = below if "properties" in below else value["additionalProperties"]
            yield from keys_of(inner, f"{prefix}{key}." if inner is value else "")
        if "items" in value or "required" in value or "properties" not in below:
            yield prefix + key, value


def kind_of(value):
    due = value.get("errorMessage", "")
    if value["type" if "type" in value else "enum"] in ("array", "object"):
        return {"array": "list", "object": "mapping"}[value["type"]]
    if "enum" in value:
        return "choice"
    if "boolean" in value["type"]:
        return "true or false"
    return next((kind for kind in ("number", "duration") if f"a {kind} between" in due), "string")


def facts_of(value):
    """What the page has to say of a key: its default, its bounds, its words."""
    between = re.search(r"between \S+ and (?:\S+ s|\S+)(?=,|$)", value.get("errorMessage", ""))
    default = value.get("default")
    yield from [] if default is None else [f"default: {json.dumps(default).strip(chr(34))}"]
    yield from [between[0].replace("b", "B", 1)] if between else []
    yield from ["One of " + ", ".join(value["enum"])] if "enum" in value else []
    yield from value.get("items", {}).get("enum", []) if value.get("maxItems") != 1024 else []
    for limit, usual in (("maxLength", 4096), ("maxItems", 1024)):
        if value.get(limit, usual) != usual:
            yield f"At most {value[limit]}"


def test_keys():
    schema = json.loads(run("--print-schema").stdout)
    wanted = {key: value for key, value in keys_of(schema) if key not in ("policies", "domains")}
    described = {key: (kind, " ".join(text.split()))
                 for key, kind, text in KEY.findall(PAGES["mta-stsd.yaml.5"])}
    assert {key: kind for key, (kind, _) in described.items()} == \
        {key: kind_of(value) for key, value in wanted.items()}
    assert not [(key, fact) for key, value in wanted.items() for fact in facts_of(value)
                if fact not in described[key][1]]


@pytest.mark.parametrize("level", ["Error", "Warning", "Note"])
def test_findings(level):
    """Code and meaning as in the table, and behind them what to do."""
    source = (ROOT / "src/lib/diag/config_finding.c").read_text(encoding="utf-8")
    wanted = {code: "".join(re.findall(r'"([^"]*)"', meaning))
              for code, of_level, meaning in FINDING_ROW.findall(source)
              if of_level == level.upper() and code != "none"}
    described = {code: " ".join(text.split())
                 for code, text in FINDING.findall(section("mta-stsd.yaml.5", f"{level}s"))}
    assert list(described) == list(wanted)
    for code, meaning in wanted.items():
        assert described[code].lower().startswith(f"{meaning}. ".lower()), code


def test_metrics():
    source = "".join((ROOT / "src" / path).read_text(encoding="utf-8")
                     for path in ("daemon/main/admin_pages.c", "check/report_metrics.c"))
    assert sorted(re.findall(r"^\.It Li mtasts_(\w+)$", PAGES["mta-stsd.8"], re.MULTILINE)) == \
        sorted(set(METRICS.findall(source)))


def test_values_of_metrics(operate, pki, tmp_path):
    metrics = operate(configuration(pki, tmp_path)).metrics()
    described = " ".join(section("mta-stsd.8", "MONITORING").split())
    values = re.findall(r'(\w+)\{(?:result|reason|mode)="(\w+)"', " ".join(metrics))
    assert len(values) > 10
    assert not [(name, value) for name, value in values if not re.search(
        rf"mtasts_{name} (?:(?!\.It).)*\b{value}\b", described)]


def yaml_blocks():
    """README's snippet of certificates has no domains, which a whole file needs. A command prints
    another one."""
    blocks = [*BLOCK.findall(PAGES["mta-stsd.yaml.5"]),
              *(re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in
                re.findall(r"^((?:    [a-z -].*\n)+)", README, re.MULTILINE))]
    yield from (block for block in blocks if "domains:" in block and "printf" not in block)
    printing = re.search(r"^    (printf (?:.*\\\n)+)", README, re.MULTILINE)[1].rstrip("\\\n")
    yield subprocess.run(["sh", "-c", printing], capture_output=True, check=True).stdout.decode()
    yield from (block + "domains: {example.com: {mx: [mail.example.com]}}\n" for block in blocks
                if block.startswith("certificates:"))


@pytest.mark.parametrize("block", yaml_blocks())
def test_configurations(tmp_path, block):
    (tmp_path / "it.yaml").write_text(block, encoding="utf-8")
    process = run("-c", tmp_path / "it.yaml", "--test-config", "--no-certificates")
    assert process.returncode == 0 and b"warning:" not in process.stderr, process.stderr


def commands():
    """Those of README and of both pages, each by itself, as a reader would type them."""
    for own_line, within in COMMAND.findall(README):
        yield re.split(r" {2,}", own_line or within)[0]
    for page in PAGES.values():
        yield from re.findall(r"^\.Ql (mta-stsd .*?)(?: [.,;:])?$", page, re.MULTILINE)
    yield from BLOCK.findall(section("mta-stsd.8", "EXAMPLES"))[0].splitlines()


VALUES = {"PATH...": "- --domain example.com", "DOMAIN": "example.com", "HOST": "mx.example.com",
          "FORMAT": "json", "FILE": "/dev/stdin"}
INPUTS = {"--tls-rpt": b"v=TLSRPTv1; rua=mailto:tlsrpt@example.com",
          "--parse-record": b"v=STSv1; id=1",
          "--parse-policy": policy_body("mx.example.com"),
          "--import": policy_body("mx.example.com")}
WITHOUT_CONFIG = ("--help", "--print-schema", *INPUTS)


def variants(command):
    """Without what is in brackets, and with it; for words in capitals, things that exist."""
    for text in (re.sub(r" ?\[[^]]*\]", "", command), re.sub(r"[][]", "", command)):
        yield re.sub("|".join(VALUES), lambda word: VALUES[word[0]], text).partition(" >")[0]


def test_commands(operate, pki, tmp_path, monkeypatch):
    """Beside a running daemon; its start, `mta-stsd` alone, is what operate() does."""
    monkeypatch.chdir(tmp_path)  # --site DIR makes one
    domains = {"example.com": {"mx": ["mx.example.com", "mail.example.com"]}}
    daemon = operate(configuration(pki, tmp_path, domains, state=str(tmp_path / "state")))
    typed = {variant for command in commands() for variant in variants(command)}
    assert len(typed) >= 20
    for command in sorted(typed - {"mta-stsd", "mta-stsd -c /dev/stdin"}):
        words = shlex.split(command)
        if re.search("--check|--diff-dns", command) and words[0] != "man":
            continue  # they ask the Internet; tests/check has one
        content = next((INPUTS[word] for word in INPUTS if word in words), b"")
        if words[0] == "man":
            process = subprocess.run(words, cwd=ROOT, check=False, capture_output=True)
        elif any(word in words for word in WITHOUT_CONFIG):
            process = run(*words[1:], stdin=content)
        else:
            process = daemon.ask(*words[1:])
        wanted = 1 if "--withdraw" in words else 0  # there is something to wait for
        assert process.returncode == wanted, (command, process.stdout, process.stderr)
    assert (tmp_path / "DIR" / "index.html").exists()
