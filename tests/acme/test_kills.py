# SPDX-License-Identifier: MIT
"""The daemon is killed at every step of an order, and started again."""

import contextlib
import os
import random
import re
import signal
import threading
import time

from front import DIRECTORY, Front
from names import policy_hosts
from operated import children
from ordering import Orderer, settings
from processes import eventually
from test_renewal import is_pair

DOMAINS = [f"c{i}.example" for i in range(5)]
RANDOM_KILLS = 8
BEFORE, AFTER = "before", "after"

# What uacme asks the CA for, in its order; the challenge's file is written before /chalZ/.
STEPS = [(when, path) for path in ("/dir", "/nonce-plz", "/sign-me-up", "/order-plz", "/authZ/", "/chalZ/",
                                   "/finalize-order/", "/certZ/") for when in (BEFORE, AFTER)]
FIRST = 6  # of the steps: those of the account


class Gate(Front):
    """Stops whoever asks for a path, before the CA has it or after the CA has answered.

    step  (when, path); None: nobody is stopped
    """

    def __init__(self, pki):
        super().__init__(pki)
        self.step, self.reached, self.go_on = None, threading.Event(), threading.Event()

    def close(self, step):
        self.step = step
        self.reached.clear()
        self.go_on.clear()

    def open(self):
        self.step = None
        self.go_on.set()

    def _stop(self, when, path):
        if self.step and self.step[0] == when and path.startswith(self.step[1]):
            self.reached.set()
            self.go_on.wait(60)

    def answer(self, handler):
        self._stop(BEFORE, handler.path)
        answer = super().answer(handler)
        self._stop(AFTER, handler.path)
        return answer


def descendants(pid):
    with contextlib.suppress(FileNotFoundError):
        for child in children(pid):
            yield child
            yield from descendants(child)


def is_alive(pid):
    """A zombie is not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(") ", 1)[1][0] != "Z"
    return False


def kill_all(daemon):
    """All at the same moment, as the machine's end would."""
    daemon.process.send_signal(signal.SIGSTOP)
    pids = list(descendants(daemon.process.pid))
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    pids += [pid for pid in descendants(daemon.process.pid) if pid not in pids]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    daemon.kill()
    return pids


def kill_daemon(daemon):
    """It alone; all that it has started has to end by itself."""
    pids = list(descendants(daemon.process.pid))
    daemon.kill()
    return pids


class Killed:
    """A daemon that is started and killed again and again, and what must be so after each time."""

    def __init__(self, folder, gate, bundle):
        self.folder, self.state, self.gate, self.bundle = folder, folder / "state", gate, bundle
        self.configuration = settings(folder, DOMAINS, acme={"directory": DIRECTORY,
                                                             "orders_per_hour": 10000})
        self.key, self.served, self.n_kills = None, set(), 0

    def start(self):
        return Orderer(self.folder, self.configuration)

    def check(self):
        """Each host that ever had a certificate has a whole one, and the account has its key."""
        key = self.state / "acme/account/private/key.pem"
        if key.exists():
            assert self.key in (None, key.read_bytes())
            self.key = key.read_bytes()
        for domain in DOMAINS:
            folder = self.state / "certificates" / f"mta-sts.{domain}"
            if folder.exists():
                assert is_pair(folder) and (folder / "certificate.pem").exists()
                self.served.add(domain)
            else:
                assert domain not in self.served

    def make_due(self):
        """All are to be ordered anew, as after a change of the CA; what they have is served meanwhile."""
        for domain in self.served:
            note = self.state / "certificates" / f"mta-sts.{domain}" / "directory"
            note.write_text("https://another.ca.example/dir\n", encoding="ascii")

    def kill_when(self, wait):
        """wait(daemon) returns when the time has come."""
        self.make_due()
        with self.start() as daemon:
            for domain in self.served:
                eventually(lambda: daemon.serves(domain, self.bundle), f"{domain} is served")
            wait(daemon)
            kill = kill_all if self.n_kills % 2 else kill_daemon
            pids = kill(daemon)
            self.n_kills += 1
        self.gate.open()
        eventually(lambda: not any(map(is_alive, pids)), "all that it has started has ended")
        self.check()

    def kill_at(self, step):
        self.gate.close(step)
        self.kill_when(lambda daemon: eventually(self.gate.reached.is_set, f"{step} is reached", 60))

    def kill_where(self, pattern):
        """When there is such a file, which may be for milliseconds only."""
        def wait(_):
            end = time.monotonic() + 60
            while not any(self.state.glob(pattern)):
                assert time.monotonic() < end, pattern
        self.kill_when(wait)

    def strays(self):
        """What is there beside what belongs there."""
        allowed = re.compile(r"""acme(/account(/mta-sts\.c\d\.example|/private(/key\.pem
            |/mta-sts\.c\d\.example(/key\.pem)?)?)?|/orders)?
            |certificates/mta-sts\.c\d\.example(/(certificate\.pem|key\.pem|directory))?""", re.VERBOSE)
        names = (str(path.relative_to(self.state)) for folder in ("acme", "certificates", "challenges")
                 for path in (self.state / folder).rglob("*"))
        return [name for name in names if not allowed.fullmatch(name)]


def test_kills(internet, ca, pki, tmp_path):
    internet.publish(*policy_hosts(*DOMAINS))
    gate, chance = Gate(pki), random.Random(18)
    with ca.serving(), gate.serving():
        killed = Killed(tmp_path, gate, ca.bundle)
        for step in STEPS[:FIRST]:
            killed.kill_at(step)
        with killed.start() as daemon:
            daemon.wait_served(ca.bundle, *DOMAINS)
        killed.check()
        for step in STEPS[FIRST:]:
            killed.kill_at(step)
        for pattern in ("challenges/*", "acme/account/mta-sts.*/cert.pem", "certificates/.new-*/key.pem",
                        "certificates/.new-*/directory"):
            killed.kill_where(pattern)
        for _ in range(RANDOM_KILLS):
            killed.kill_when(lambda daemon: time.sleep(chance.uniform(0, 4)))
        assert killed.n_kills >= 20
        killed.make_due()
        with killed.start() as daemon:
            daemon.wait_served(ca.bundle, *DOMAINS)
            eventually(lambda: daemon.metric('acme_hosts{state="valid"}') == len(DOMAINS), "all are valid")
            assert not daemon.challenges()
        killed.check()
        assert not killed.strays(), killed.strays()
    assert "There are now 1 accounts" in ca.log() and "There are now 2 accounts" not in ca.log()
