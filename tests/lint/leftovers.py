# SPDX-License-Identifier: MIT
"""Nothing is left behind: notes to oneself, code switched off, banners, // comments."""

import re

NOTE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
DISABLED = re.compile(r"^\s*#\s*if\s+0\b")
BANNER = re.compile(r"^\s*(/\*|\*)\s*[-=*#~]{3,}")
# In this order, so that // in a text or in a comment is none of ours.
TOKEN = re.compile(r"""'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*""", re.DOTALL)


def line_findings(tree, path, patterns):
    for number, line in enumerate(tree.text(path).splitlines(), 1):
        for pattern, what in patterns:
            if pattern.search(line):
                yield f"{path}:{number}: {what}"


def findings(tree):
    notes = [(NOTE, "a note to oneself belongs into an issue")]
    in_c = [*notes, (DISABLED, "code that is switched off"), (BANNER, "a section banner")]
    for path in tree.c_files():
        yield from line_findings(tree, path, in_c)
        text = tree.text(path)
        for token in TOKEN.finditer(text):
            if token[0].startswith("//"):
                yield f"{path}:{text.count(chr(10), 0, token.start()) + 1}: a // comment"
    others = tree.files("dev", ".ci/run", "CMakeLists.txt", "src/CMakeLists.txt", "certs/make-certs",
                        "tests/**/CMakeLists.txt", "tests/**/*.py", "config/*")
    for path in others:
        if not path.startswith("tests/lint/"):
            yield from line_findings(tree, path, notes)
