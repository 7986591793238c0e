# SPDX-License-Identifier: MIT
"""--print-schema: a JSON Schema that takes what the loader takes.

Each finding of the loader about a file under tests/data/config/bad has its place in the first lines
of that file. An editor that knows the schema underlines none but these places, and all of them that
are about a key, a type or a word.
"""

import json
import re

import jsonschema
import pytest
import yaml

from daemon import ROOT, run

DATA = ROOT / "tests/data/config"
CONFIG = ROOT / "config"
GOOD = sorted([*CONFIG.glob("*.yaml"), *CONFIG.glob("provider.d/*.yaml"),
               *(ROOT / "docker").glob("*/mta-stsd.yaml"), *DATA.glob("good/**/*.yaml"), *DATA.glob("warn/**/*.yaml")])
GOOD = [path for path in GOOD if not re.fullmatch(r"comments-[12]\.yaml", path.name)]  # no keys
BAD = sorted(DATA.glob("bad/*.yaml"))

TOO_DEEP = "nested deeper than 16 levels"
MISPLACED = "stands where a name is expected"  # said once, of the first key

# What a schema cannot see: how keys, domains and files go together, what names and addresses mean.
UNSEEN_CODES = {
    "bad-name", "body-too-large", "duplicate-domain", "duplicate-key", "file-unreadable",
    "include-empty", "key-conflict", "mx-is-policy-host", "mx-missing", "mx-never-matches",
    "mx-public-suffix", "mx-syntax", "name-too-long", "policy-host-loop", "rua-syntax",
    "unknown-policy", "yaml-feature",
}
UNSEEN_MESSAGES = [
    TOO_DEEP,
    r"is listed twice;|cannot be opened beside|is included already|is the main file itself",
    r"no domain is given|needs delegation_zone|nothing is left to publish",
    r"does not contain '",
    r"is not an IPv4 or IPv6 address|is not \"192|is neither \"127",
    r"is not the absolute path of a socket, of at most",
    r"is not a number between|is not a duration between",  # the range of what has a unit
    r"with a NUL in it",
    r"has (no|a) '\*', and the chain",
    r"takes the policy named default|found nothing; indent its keys below it, or write",
    r"is a key, and stands where a name is expected|is a number; write the name of a user",
    r"'FALSE' is not one of true, false",  # it is false to a reader of YAML
]
FINDING = re.compile(r"# (\S+?):(\d+):(\d+): error: (.*) \[([a-z-]+)\]")


class Loader(yaml.CSafeLoader):
    """Reads scalars as YAML 1.2 does, which is what editors have: no `on`, `off`, `yes`, `no`."""

    yaml_implicit_resolvers = {}


for tag, pattern, first in [
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        ("int", r"[-+]?[0-9]+", list("-+0123456789")),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789"))]:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), first)
# Nor is 0016 octal.
Loader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))


class Document:
    """A file's value as an editor has it, and where each part of it stands."""

    def __init__(self, content):
        self.places, self.key_places = {}, {}
        loader = Loader(content)
        self.value = self._value(loader, loader.get_single_node(), ())

    def _value(self, loader, node, path):
        self.places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(loader, item, (*path, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return loader.construct_object(node)
        for key, value in node.value:
            self.key_places[*path, key.value] = (key.start_mark.line + 1, key.start_mark.column + 1)
        return {key.value: self._value(loader, value, (*path, key.value))
                for key, value in node.value}

    def faults(self, validator):
        """Yields the place of each thing that the schema does not take, and what it says of it."""
        for error in validator.iter_errors(self.value):
            path = tuple(error.absolute_path)
            if error.validator == "additionalProperties":
                for key in set(error.instance) - set(error.schema["properties"]):
                    yield self.key_places[*path, key], f"{key} is not a key"
            elif "propertyNames" in error.schema_path:
                yield self.key_places[*path, error.instance], error.message
            else:
                yield self.places[path], error.message


@pytest.fixture(name="validator", scope="module")
def validator_of_the_schema():
    process = run("--print-schema")
    assert (process.returncode, process.stderr) == (0, b"")
    schema = json.loads(process.stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def name(path):
    return f"{path.parent.name}/{path.name}"


@pytest.mark.parametrize("path", GOOD, ids=name)
def test_takes_what_loads(validator, path):
    assert not list(Document(path.read_bytes()).faults(validator))


def is_unseen(message, code):
    return code in UNSEEN_CODES or any(re.search(row, message) for row in UNSEEN_MESSAGES)


@pytest.mark.parametrize("path", BAD, ids=name)
def test_refuses_what_does_not_load(validator, path):
    content = path.read_bytes()
    findings = {(int(line), int(column)): (message, code) for file, line, column, message, code
                in FINDING.findall(content.decode("utf-8", "replace")) if file == name(path)}
    try:
        faults = dict(Document(content).faults(validator))
    except yaml.YAMLError:
        return  # no editor reads it either
    assert "syntax" not in {code for _, code in findings.values()}
    assert not [(place, finding) for place, finding in findings.items()
                if place not in faults and not is_unseen(*finding)]
    # These have another place.
    if not any(TOO_DEEP in message or MISPLACED in message for message, _ in findings.values()):
        assert not {place: faults[place] for place in faults.keys() - findings.keys()}


def keys_of(schema, path=()):
    """Yields the path of each key that there may be, a * for any name, and its schema."""
    for key, value in schema.get("properties", {}).items():
        yield (*path, key), value
        yield from keys_of(value, (*path, key))
    if "items" in schema:
        yield from keys_of(schema["items"], path)
    if schema.get("additionalProperties"):
        yield from keys_of(schema["additionalProperties"], (*path, "*"))


def as_in_schema(path):
    path = tuple(step for step in path if isinstance(step, str))
    is_below_name = len(path) > 1 and path[0] in ("policies", "domains")
    return (path[0], "*", *path[2:]) if is_below_name else path


def value_at(value, path):
    for step in path:
        value = value[step]
    return value


def test_full_example(validator):
    """full.yaml has every key, those behind a # too, with a comment, and shows the defaults."""
    _, body = (CONFIG / "full.yaml").read_text().split("\n\n", 1)
    body = re.sub(r"^( *)#", r"\1", body, flags=re.MULTILINE)
    document, lines = Document(body), body.split("\n")
    keys = dict(keys_of(validator.schema))
    assert not list(document.faults(validator))
    paths = {path: as_in_schema(path) for path in document.key_places}
    names = {path for path, key in paths.items() if key[-1] == "*"}
    assert {key for path, key in paths.items() if path not in names} == keys.keys()

    explained = {key for path, key in paths.items()
                 if " # " in lines[document.key_places[path][0] - 1]}
    headings = {key for key in keys if any(other[:len(key)] == key != other for other in keys)}
    overrides = {("domains", "*", key[2]) for key in keys if key[:2] == ("policies", "*")}
    unexplained = keys.keys() - headings - overrides - explained
    assert not unexplained

    shown = {path: value_at(document.value, path)
             for path in paths.keys() & keys.keys() if "default" in keys[path]}
    assert len(shown) >= 14
    assert shown == {path: keys[path]["default"] for path in shown}
