# SPDX-License-Identifier: MIT
"""Shell scripts are clean under shellcheck."""

import re

SHEBANG = re.compile(r"#!.*\b(ba|da)?sh\b")


def findings(tree):
    candidates = tree.files("*", ".ci/*", "certs/*", "config/*", "config/debian/*", "docker/*",
                            "tests/**/*.sh")
    scripts = [path for path in candidates
               if SHEBANG.match((tree.root / path).read_bytes()[:64].decode("utf-8", "replace"))]
    scripts += tree.files("config/completions/*.bash")  # sourced, so without a shebang
    if scripts:
        yield from tree.run(["shellcheck", "--format=gcc", *scripts]).splitlines()
