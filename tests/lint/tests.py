# SPDX-License-Identifier: MIT
"""Tests mirror the sources: src/<folder>/<name>.c has tests/unit/<folder>/test_<name>.c."""

import pathlib

FOLDERS = ["lib/base", "lib/config", "lib/diag", "lib/dns", "lib/policy", "lib/yaml", "daemon/tls"]

# Tested elsewhere, each with the place.
EXEMPT = {}


def findings(tree):
    sources = {path for folder in FOLDERS for path in tree.files(f"src/{folder}/*.c")}
    for path in sorted(sources):
        source = pathlib.PurePath(path).relative_to("src")
        test = EXEMPT.get(path, f"tests/unit/{source.parent}/test_{source.name}")
        if not (tree.root / test).exists():
            yield f"{path}:1: has no {test}"
    for test in tree.files("tests/unit/**/test_*.c"):
        place = pathlib.PurePath(test).relative_to("tests/unit")
        if not (tree.root / "src" / place.parent / place.name.removeprefix("test_")).exists():
            yield f"{test}:1: tests no source"
    for path in sorted(set(EXEMPT) - sources):
        yield f"tests/lint/tests.py:1: {path} is exempt and does not exist"
