# SPDX-License-Identifier: MIT
"""A running mta-stsd: started, waited for by what it says, ended by its process id."""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading

PROGRAM = os.environ["MTA_STSD"]
ROOT = pathlib.Path(__file__).parents[2]
PATIENCE_S = 60  # for anything to happen; a test that passes never waits so long
IS_TSAN = b"__tsan_init" in pathlib.Path(PROGRAM).read_bytes()
IS_SANITIZED = IS_TSAN or b"__asan_init" in pathlib.Path(PROGRAM).read_bytes()
SANITIZER = re.compile(r"Sanitizer:|runtime error:")


def run(*arguments, stdin=b"", **options):
    """Runs the program to its end, in one of the modes that do not serve."""
    process = subprocess.run([PROGRAM, *map(str, arguments)], input=stdin, timeout=PATIENCE_S,
                             check=False, **{"capture_output": True, **options})
    assert not SANITIZER.search((process.stderr or b"").decode()), process.stderr.decode()
    return process


def configuration(pki, domains, **keys):
    """The settings that most tests want; a key replaces its default."""
    return {"user": "root", "listen": [{"address": "127.0.0.1:0"}], "admin": "off", "workers": 2,
            "certificates": [pki.source], "domains": domains, **keys}


def write_file(path, content):
    """Replaces a file at once, so that a reload under way never reads half of it."""
    new = path.with_name(path.name + ".new")
    new.write_text(content, encoding="utf-8")
    new.rename(path)
    return path


def write_configuration(path, settings):
    """Writes YAML: a text as it is, a dict as JSON, which is YAML too."""
    return write_file(path, settings if isinstance(settings, str)
                      else json.dumps(settings, indent=1))


class Output:
    """The lines of a pipe, read as they come."""

    def __init__(self, pipe):
        self.lines = []
        self._changed = threading.Condition()
        self._has_ended = False
        self._reader = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._reader.start()

    def _read(self, pipe):
        for line in pipe:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def find(self, pattern, after=0):
        """The lines that hold the pattern, without the first `after` lines."""
        return [line for line in self.lines[after:] if re.search(pattern, line)]

    def wait_for(self, pattern, after=0, count=1):
        """The first line that holds the pattern, once there are `count` of them."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._has_ended or len(self.find(pattern, after)) >= count, PATIENCE_S)
            found = self.find(pattern, after)
        assert len(found) >= count, f"{len(found)} lines with {pattern!r}, not {count}"
        return found[0]

    def read_to_end(self):
        self._reader.join(PATIENCE_S)
        return "\n".join(self.lines)


class Daemon:
    """Serves within a with block; its end must be orderly unless the block has ended it."""

    running = []

    def __init__(self, folder, settings, wrapper=()):
        self.command = [*wrapper, PROGRAM, "-c", str(folder / "mta-stsd.yaml")]
        self.config_path = write_configuration(folder / "mta-stsd.yaml", settings)
        self.process = self.log = self.access = None
        self.addresses = []  # (host, port) or a path, as listed in the configuration

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        errors="backslashreplace")
        self.log, self.access = Output(self.process.stderr), Output(self.process.stdout)
        self.running.append(self)
        try:
            self.log.wait_for("ready: ")
        except AssertionError:
            self.process.kill()
            self._wait()
            raise AssertionError("not started:\n" + self.log.read_to_end()) from None
        self.addresses = [self._address(line) for line in self.log.find("listening on ")]
        return self

    def __exit__(self, *_):
        if self in self.running:
            self.stop()

    @staticmethod
    def _address(line):
        name = re.search(r"listening on (\S+) \(", line)[1]
        if name.startswith("unix:"):
            return name.removeprefix("unix:")
        host, port = name.rsplit(":", 1)
        return host.strip("[]"), int(port)

    @property
    def address(self):
        return self.addresses[0]

    def send_signal(self, number):
        self.process.send_signal(number)

    def reload(self, settings=None, wanted="reloaded '"):
        """Sends SIGHUP and returns the line that says how it went."""
        if settings is not None:
            write_configuration(self.config_path, settings)
        n_before = len(self.log.lines)
        self.send_signal(signal.SIGHUP)
        line = self.log.wait_for("reloaded '|reload refused", n_before)
        assert wanted in line
        return line

    def stop(self, number=signal.SIGTERM):
        """Ends it; all must have gone well from start to end."""
        self.send_signal(number)
        self.wait_for_end()

    def wait_for_end(self):
        self._wait()
        log = self.log.read_to_end()
        assert self.process.returncode == 0 and not SANITIZER.search(log), \
            f"exit status {self.process.returncode}:\n{log}"

    def _wait(self):
        self.running.remove(self)
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
