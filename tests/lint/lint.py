#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs one lint: lint.py NAME SOURCE_DIR BUILD_DIR. Prints a line a finding; 1 if there are any.

A lint is a module beside this one with findings(tree), a generator of "path:line: what is wrong".
"""

import importlib
import sys

from tree import Tree


def main(name, root, build):
    findings = list(importlib.import_module(name).findings(Tree(root, build)))
    print("\n".join(findings) or f"lint {name}: nothing found")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
