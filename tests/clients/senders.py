# SPDX-License-Identifier: MIT
"""Senders' software as Debian has it, and what it says about a domain."""

import ast
import contextlib
import pathlib
import re
import sys

from client import connect
from processes import running, run

SOCKETMAP = ("127.0.0.1", 8461)


def query(domain, *known_id):
    """mta-sts-query: the result's name, and if that is VALID, the id and the policy."""
    printed = run("mta-sts-query", "--", domain, *known_id)
    result, value = re.fullmatch(r"\(<STSFetchResult\.(\w+): \d>, (.*)\)\n", printed).groups()
    id_, policy = ast.literal_eval(value) or (None, None)
    return result, id_, policy


@contextlib.contextmanager
def mta_sts_daemon(folder):
    """mta-sts-daemon, as Postfix asks it; it looks at a domain's record again at each question."""
    config_path = folder / "mta-sts-daemon.yml"
    config_path.write_text(
        f"host: {SOCKETMAP[0]}\nport: {SOCKETMAP[1]}\ncache_grace: 0\n"
        "default_zone: {strict_testing: false}\nzones: {strict: {strict_testing: true}}\n",
        encoding="ascii")
    with running("mta-sts-daemon", "-c", config_path, log=folder / "mta-sts-daemon.log",
                 is_ready=lambda: lookup("postfix", "ready.invalid")):
        yield


def lookup(map_name, domain, address=SOCKETMAP):
    """Postfix's question by the socketmap protocol (socketmap_table(5)): netstrings both ways."""
    request = f"{map_name} {domain}".encode("ascii")
    with connect(address) as connection:
        connection.sendall(b"%d:%s," % (len(request), request))
        with connection.makefile("rb") as reply:
            size = int(b"".join(iter(lambda: reply.read(1), b":")))
            answer = reply.read(size + 1)
    assert answer[size:] == b","
    return answer[:size].decode("ascii")


def secure(*names):
    """What Postfix is told to do: verify that the certificate matches one of these names."""
    return {"secure", "servername=hostname", *names}


def demands(answer):
    """The words of an OK answer; the order of its names is any."""
    status, _, words = answer.partition(" ")
    if status != "OK":
        return answer
    level, match, *others = words.split(" ")
    return {level, *others, *match.removeprefix("match=").split(":")}


def refuses(answer, host):
    """Whether Postfix, told this, refuses to send to this MX host."""
    status, _, words = answer.partition(" ")
    if status == "NOTFOUND":
        return False
    names = re.search("match=([^ ]*)", words)[1].split(":") if status == "OK" else []
    return not any(host == name or name.startswith(".") and host.endswith(name) for name in names)


@contextlib.contextmanager
def lazy_senders(folder, n_senders):
    """The addresses of senders, each with a cache of its own (lazy_senders.py)."""
    addresses = [str(folder / f"sender-{number}") for number in range(n_senders)]
    with running(sys.executable, "-B", pathlib.Path(__file__).with_name("lazy_senders.py"),
                 *addresses, log=folder / "lazy-senders.log",
                 is_ready=lambda: connect(addresses[-1]).close() or True):
        yield addresses
