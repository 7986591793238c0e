# SPDX-License-Identifier: MIT
"""Each header compiles alone and twice, with gcc and with clang."""

import itertools
import os
import shlex

from tree import in_parallel

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def flags_by_folder(tree):
    """What finds a folder's headers: the preprocessor's part of the command of one of its sources."""
    folders = {}
    for entry in tree.compile_commands():
        words = shlex.split(entry["command"])
        flags = [word for word in words if word.startswith(("-D", "-I", "-std="))]
        for flag, value in zip(words, words[1:]):
            flags += [flag, value] if flag == "-isystem" else []
        folders[os.path.dirname(entry["file"])] = flags
    return folders


def findings(tree):
    folders = flags_by_folder(tree)

    def compile_alone(compiler, path):
        include = f'#include "{path.removeprefix("src/")}"\n'
        content = include + include + "extern int not_empty;\n"
        flags = folders.get(f"{tree.root}/{os.path.dirname(path)}",
                            ["-std=c11", "-D_GNU_SOURCE", "-Isrc"])
        output = tree.run([compiler, *flags, *WARNINGS, "-fsyntax-only", "-x", "c", "-"], content)
        return f"{path}:1: does not compile alone with {compiler}\n{output}" if output else None

    pairs = list(itertools.product(["gcc", "clang"], tree.files("src/**/*.h")))
    yield from filter(None, in_parallel(compile_alone, *zip(*pairs)))
