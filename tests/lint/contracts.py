# SPDX-License-Identifier: MIT
"""Headers carry the contract: a comment at the head, and one above each prototype or its group."""

# These verbs mean the same in every module, so that their functions need no words of their own.
LIFECYCLE = ("_ref", "_unref", "_free", "_done")

LICENCE = "/* SPDX-License-Identifier: MIT */\n"


def is_documented(lines, index):
    """A comment ends on a line above lines[index], with nothing but prototypes in between."""
    while index > 0:
        index -= 1
        line = lines[index].strip()
        if line.endswith("*/") and line.startswith(("/*", "*")):
            return True
        if not line or line.startswith(("}", "#")):
            return False
    return False


def findings(tree):
    for path in tree.c_files():
        if not tree.text(path).startswith(LICENCE):
            yield f"{path}:1: the first line is to be {LICENCE.strip()}"
    headers = tree.files("src/**/*.h")
    for path in headers:
        text = tree.text(path)
        if not text.startswith(LICENCE + "/**\n * "):
            yield f"{path}:2: no /** comment says what this header is for"
        if "\n#pragma once\n" not in text:
            yield f"{path}:1: no #pragma once"
    for tag in tree.tags("p", headers):
        if tag["name"].endswith(LIFECYCLE):
            continue
        if not is_documented(tree.text(tag["path"]).splitlines(), tag["line"] - 1):
            yield f"{tag['path']}:{tag['line']}: {tag['name']}() has no contract above it"
