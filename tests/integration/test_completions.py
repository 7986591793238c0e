# SPDX-License-Identifier: MIT
"""What is installed, and that TAB offers what there is, in shells on a terminal of their own."""

import os
import pathlib
import pty
import re
import signal
import subprocess
import termios
import time

import pytest

from daemon import PATIENCE_S, PROGRAM, ROOT

CONFIG = "config/dev.yaml"
DOMAINS = {"example.com", "example.org", "example.info", "xn--bcher-kva.example"}


@pytest.fixture(name="prefix", scope="module")
def installed(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix")
    subprocess.run(["cmake", "--install", pathlib.Path(PROGRAM).parent, "--prefix", prefix],
                   check=True, stdout=subprocess.DEVNULL)
    return prefix


class Shell:
    """An interactive shell that is asked what it would complete a line to."""

    def __init__(self, prefix, command, *setup):
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.chdir(ROOT)
            path = f"{prefix}/sbin:{os.environ['PATH']}"
            os.execvpe(command[0], command, {**os.environ, "PATH": path, "TERM": "dumb",
                                             "LC_ALL": "C.UTF-8"})
        termios.tcsetwinsize(self._terminal, (50, 500))
        self._count = 0
        for line in setup:
            self.run(line)

    def run(self, line):
        """Types it; returns what the terminal shows until a command behind it has run."""
        self._count += 1
        os.write(self._terminal, f"{line}\necho seen $(({self._count}+0))\n".encode())
        seen, end = "", time.monotonic() + PATIENCE_S
        while not re.search(rf"^seen {self._count}\b", seen, re.MULTILINE):
            assert time.monotonic() < end, seen
            seen += os.read(self._terminal, 65536).decode().replace("\r", "\n")
        return seen

    def offers(self, line):
        """The words that TAB behind `line` shows, and those of the line that it becomes."""
        words = self.run(f"{line}\t\x01echo ").split()
        return {word.rstrip("/\b") for word in words} - set(line.split())

    def close(self):
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._terminal)


def start_bash(prefix):
    return Shell(prefix, ["bash", "--norc", "--noprofile", "-i"],
                 "bind 'set show-all-if-ambiguous on'",
                 f". {prefix}/share/bash-completion/completions/mta-stsd")


def start_zsh(prefix):
    return Shell(prefix, ["zsh", "-f", "-i"], "bindkey -e; PS1='> '; unset zle_bracketed_paste",
                 f"fpath=({prefix}/share/zsh/site-functions $fpath)",
                 "autoload -Uz compinit; compinit -u -D")


@pytest.fixture(name="shell", scope="module", params=[start_bash, start_zsh])
def shell_on_a_terminal(request, prefix):
    shell = request.param(prefix)
    yield shell
    shell.close()


@pytest.mark.parametrize("line, offered, hidden", [
    ("--", {"--test-config", "--print-dns", "--print-schema", "--help", "--config"},
     {"--json", "--domain"}),
    ("--print-dns --", {"--config", "--side", "--served", "--no-certificates"},
     {"--print-id", "--json", "--force"}),
    ("--reload --", {"--config", "--force"}, {"--health", "--json"}),
    ("--print-dns=", {"zone", "panel", "nsupdate", "json"}, {"--config"}),
    ("--print-dns=js", {"--print-dns=json"}, {"panel"}),
    ("--print-dns --side ", {"customer", "provider"}, {"--config"}),
    ("--print-dns --side=c", {"--side=customer"}, {"provider"}),
    (f"-c {CONFIG} --print-policy ", DOMAINS, {"--config"}),
    (f"--config {CONFIG} --print-dns --domain x", {"xn--bcher-kva.example"}, {"example.com"}),
    ("--parse-record --tls-rpt CHANGE", {"CHANGELOG.md"}, {"--json"}),
    ("--print-dns --output con", {"config"}, {"--config"}),
    ("-c config/dev", {CONFIG}, {"--config"}),
    (f"-c {CONFIG} --match-mx example.com ", set(), DOMAINS),
    ("-c /nonexistent --print-id ", set(), DOMAINS),
])
def test_offers(shell, line, offered, hidden):
    seen = shell.offers(f"mta-stsd {line}")
    assert offered <= seen and not hidden & seen


def test_installed_files(prefix):
    installed = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
    examples = {f"share/doc/mta-stsd/examples/{path.relative_to(ROOT / 'config')}"
                for pattern in ("*.yaml", "provider.d/*")
                for path in (ROOT / "config").glob(pattern) if path.name != "dev.yaml"}
    assert {"sbin/mta-stsd", "share/bash-completion/completions/mta-stsd",
            "share/zsh/site-functions/_mta-stsd", *examples} <= installed
