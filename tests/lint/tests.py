# SPDX-License-Identifier: MIT
"""Tests mirror the sources: src/<module>/<name>.c has tests/unit/<module>/test_<name>.c."""

MODULES = ["base", "yaml", "policy", "dns", "config", "tls"]

# Tested elsewhere, each with the place.
EXEMPT = {}


def findings(tree):
    sources = {path for module in MODULES for path in tree.files(f"src/{module}/*.c")}
    for path in sorted(sources):
        module, name = path.split("/")[1:]
        test = EXEMPT.get(path, f"tests/unit/{module}/test_{name}")
        if not (tree.root / test).exists():
            yield f"{path}:1: has no {test}"
    for test in tree.files("tests/unit/*/test_*.c"):
        module, name = test.split("/")[2:]
        if not (tree.root / "src" / module / name.removeprefix("test_")).exists():
            yield f"{test}:1: tests no source"
    for path in sorted(set(EXEMPT) - sources):
        yield f"tests/lint/tests.py:1: {path} is exempt and does not exist"
