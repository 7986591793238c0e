# SPDX-License-Identifier: MIT
"""What a lint looks at: the sources, the build folder, and the tools that read them."""

import concurrent.futures
import json
import os
import pathlib
import subprocess


class Tree:
    def __init__(self, root, build):
        self.root = pathlib.Path(root).resolve()
        self.build = pathlib.Path(build).resolve()

    def files(self, *patterns):
        """The files that match, as sorted paths relative to the root."""
        found = {path for pattern in patterns for path in self.root.glob(pattern)}
        return sorted(str(path.relative_to(self.root)) for path in found if path.is_file())

    def c_files(self):
        return self.files("src/**/*.[ch]", "tests/**/*.[ch]")

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8")

    def compile_commands(self):
        return json.loads((self.build / "compile_commands.json").read_text(encoding="utf-8"))

    def tags(self, kind, paths):
        """Where ctags sees each function (f) or prototype (p): dicts with path, name, line, end, file (static)."""
        options = ["--languages=C", "--langmap=C:.c.h", f"--kinds-C={kind}", "--fields=+nef"]
        output = self.run(["ctags-universal", *options, "--output-format=json", "-f", "-", "-L", "-"],
                          "\n".join(paths), may_fail=False)
        return [json.loads(line) for line in output.splitlines()]

    def run(self, command, stdin="", may_fail=True):
        """What a tool says: "" if it is content; both of its outputs if it is not."""
        process = subprocess.run(command, cwd=self.root, input=stdin, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if process.returncode == 0:
            return "" if may_fail else process.stdout
        return process.stdout or f"{command[0]} ended with {process.returncode}"


def in_parallel(function, *arguments):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, *arguments))
