# SPDX-License-Identifier: MIT
"""clang-tidy finds nothing; the checks and the reasons for those left out are in .clang-tidy."""

import re

from tree import in_parallel

PLACE = re.compile(r":\d+: (error|warning|note): (?!expanded from macro)")


def own_lines(tree, output):
    """The findings in this tree, with their notes; not those in a library's inline functions."""
    is_own = False
    for line in output.splitlines():
        place = PLACE.search(line)
        if place and place[1] != "note":
            is_own = line.startswith(str(tree.root))
        if place and is_own:
            yield line


def findings(tree):
    sources = sorted({entry["file"] for entry in tree.compile_commands()})

    def check(source):
        return tree.run(["clang-tidy-14", "--quiet", "-p", str(tree.build), source])

    for output in in_parallel(check, sources):
        if PLACE.search(output):
            yield from own_lines(tree, output)
        else:
            yield from output.splitlines()
