# SPDX-License-Identifier: MIT
"""A name stands for one thing: it can be searched, and read in a backtrace.

A struct, enum, union, type or function is defined once in src/, static or not, and a function's
name has its file's noun in it: no single bare word.
"""

import collections

# Single words that say enough.
BARE = {"main"}

KINDS = {"struct": "s", "enum": "g", "union": "u", "type": "t", "function": "f"}


def definitions(tree):
    """Where each name is defined, and as what: lists of (place, kind) by name."""
    found = collections.defaultdict(list)
    for kind, letter in KINDS.items():
        for tag in tree.tags(letter, tree.files("src/**/*.[ch]")):
            if not tag["name"].startswith("__anon"):
                found[tag["name"]].append((f"{tag['path']}:{tag['line']}", kind))
    return found


def findings(tree):
    for name, places in sorted(definitions(tree).items()):
        functions = [place for place, kind in places if kind == "function"]
        types = [place for place, kind in places if kind != "function"]
        for same in (functions, types):
            if len(same) > 1 and name != "main":  # each program has one
                yield from (f"{place}: {name} is also defined at "
                            f"{', '.join(other for other in same if other != place)}"
                            for place in same)
        if "_" not in name and name not in BARE:
            yield from (f"{place}: {name}() is a single word: add the noun of its file"
                        for place in functions)
