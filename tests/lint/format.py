# SPDX-License-Identifier: MIT
"""C files are as clang-format 14 leaves them."""


def findings(tree):
    output = tree.run(["clang-format-14", "--dry-run", "-Werror", *tree.c_files()])
    lines = output.splitlines()
    yield from [line for line in lines if ": error: " in line] or lines
