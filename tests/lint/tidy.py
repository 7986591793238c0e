# SPDX-License-Identifier: MIT
"""clang-tidy finds nothing; the checks and the reasons for those left out are in .clang-tidy."""

import re

from tree import in_parallel

PLACE = re.compile(r":\d+: (error|warning|note): ")


def findings(tree):
    sources = sorted({entry["file"] for entry in tree.compile_commands()})

    def check(source):
        return tree.run(["clang-tidy-14", "--quiet", "-p", str(tree.build), source])

    for output in in_parallel(check, sources):
        yield from filter(PLACE.search, output.splitlines())
