# SPDX-License-Identifier: MIT
"""What mta-stsd(8) tells an operator to run and to write, for tests that do so."""

import re
import textwrap

import yaml

from daemon import ROOT


def _literal():
    """The examples of the manual, as a reader has them."""
    text = (ROOT / "docs/mta-stsd.8").read_text(encoding="utf-8")
    for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", text, re.DOTALL | re.MULTILINE):
        yield textwrap.dedent(block.replace(r"\e", "\\"))


def commands(program):
    """The one example of shell commands in which this program is run."""
    blocks = [block for block in _literal() if re.search(rf"^{program} ", block, re.MULTILINE)]
    assert len(blocks) == 1, f"{len(blocks)} examples with {program}"
    return blocks[0]


def configuration(key, part):
    """The value of the one example of YAML that begins with the key and has this text in it."""
    blocks = [block for block in _literal() if block.startswith(f"{key}:") and part in block]
    assert len(blocks) == 1, f"{len(blocks)} examples with {key}: and {part}"
    return yaml.safe_load(blocks[0])[key]
