# SPDX-License-Identifier: MIT
"""The hosts that every server serves: their names, policies and certificates.

Host number i is the same in every run and for every number of hosts, so that the certificates, which
are kept in a cache folder, are made once. Names are scattered: sorted, they are in no order of i.
"""

import subprocess

LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
N_LETTERS = 7
OVERRIDDEN = 100  # every so manieth domain has a policy of its own
PATH = "/.well-known/mta-sts.txt"


def domain(i):
    scattered = (i * 0x9E3779B1 + 0x2545F491) % 32 ** N_LETTERS
    return "".join(LETTERS[scattered >> 5 * k & 31] for k in range(N_LETTERS)) + ".example"


def policy_host(i):
    return f"mta-sts.{domain(i)}"


def body(*mx, mode="enforce", max_age=1209600):
    """What is to be served (RFC 8461 3.2)."""
    lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {name}" for name in mx),
             f"max_age: {max_age}"]
    return "".join(line + "\r\n" for line in lines)


STANDARD = body("mx1.provider.example", "mx2.provider.example")


def is_overridden(i):
    return i % OVERRIDDEN == OVERRIDDEN - 1


def body_of(i):
    return body(f"mail.{domain(i)}", mode="testing") if is_overridden(i) else STANDARD


class Hosts:
    """The first n hosts.

    n_fetched  how many of them have certificates and are fetched; None: all
    live       the folder of certificates, a folder a host
    targets    the file that tells bench_load which hosts to fetch and what each is to answer
    """

    def __init__(self, cache, n, n_fetched=None):
        self.n = n
        self.n_fetched = n_fetched or n
        self.live = cache / "live"
        self.targets = cache / f"targets-{self.n_fetched}"

    def read_certificates(self, first, n):
        """Some machines take page cache back within seconds, and a disk's time varies most."""
        for i in range(first, first + n):
            folder = self.live / policy_host(i % self.n_fetched)
            for name in ("fullchain.pem", "privkey.pem"):
                (folder / name).read_bytes()

    def make(self, tools):
        """Makes what the cache does not have yet."""
        if self.targets.exists():
            return
        names = "".join(f"{policy_host(i)}\n" for i in range(self.n_fetched))
        self.live.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([tools / "bench_hosts", self.live], input=names, text=True, check=True)
        new = self.targets.with_suffix(".new")
        with new.open("w", encoding="ascii") as out:
            for i in range(self.n_fetched):
                text = body_of(i).replace("\r\n", "\\r\\n")
                out.write(f"{policy_host(i)}\t{text}\n")
        new.rename(self.targets)
