# SPDX-License-Identifier: MIT
"""A program for the daemon to run with a document on standard input."""

import json
import stat

PROGRAM = """\
#!/bin/sh
cat >{folder}/document.part
mv {folder}/document.part {folder}/document.$(date +%s%N)
echo "{says} $*"
exit $(cat {folder}/status)
"""


class DocumentKeeper:
    """Keeps what it gets, and ends as it is told. says  what it prints before its arguments"""

    def __init__(self, folder, says):
        self.folder, self.says = folder, says
        self.folder.mkdir()
        self.path = self.folder / "keep"
        self.write()
        self.path.chmod(stat.S_IRWXU)
        self.end_with(0)

    def write(self):
        """Also in place of what a test has written there."""
        self.path.write_text(PROGRAM.format(folder=self.folder, says=self.says), encoding="utf-8")

    def end_with(self, status):
        (self.folder / "status").write_text(str(status), encoding="ascii")

    def documents(self):
        return [json.loads(path.read_text(encoding="utf-8"))
                for path in sorted(self.folder.glob("document.*")) if path.suffix != ".part"]
