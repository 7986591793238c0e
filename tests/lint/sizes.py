# SPDX-License-Identifier: MIT
"""Files and functions have one subject: a line count says when to look for the second one.

A test function may be longer: it is mostly its table of cases.
"""

FILE_LINES = 600
MAIN_LINES = 40
FUNCTION_LINES = 70


def findings(tree):
    for path in [*tree.c_files(), *tree.files("tests/**/*.py")]:
        allowed = MAIN_LINES if path == "src/main.c" else FILE_LINES
        lines = len(tree.text(path).splitlines())
        if lines > allowed:
            yield f"{path}:{lines}: {lines} lines, at most {allowed}"
    for tag in tree.tags("f", tree.files("src/**/*.c", "src/**/*.h")):
        lines = tag["end"] - tag["line"] + 1
        if lines > FUNCTION_LINES:
            yield f"{tag['path']}:{tag['line']}: {tag['name']}() has {lines} lines, " \
                  f"at most {FUNCTION_LINES}"
