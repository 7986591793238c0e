# SPDX-License-Identifier: MIT
"""No leak and no invalid access from start to end, under valgrind.

A program that is built with sanitizers cannot run there, and looks for leaks by itself in all the
other tests.
"""

import pathlib

import pytest

from client import connect, exchange, fetch, policy_body, request, tls_context
from daemon import PROGRAM, ROOT, Daemon, configuration

VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
            "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
            f"--suppressions={ROOT / 'tests/suppressions/valgrind.supp'}"]
HOST = "mta-sts.example.com"


def has_sanitizers():
    program = pathlib.Path(PROGRAM).read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


@pytest.mark.skipif(has_sanitizers(), reason="the program is built with sanitizers")
def test_life_of_a_daemon(pki, tmp_path):
    def settings(max_age):
        domains = {"example.com": {"mx": ["mx.example.com"], "max_age": max_age}}
        listen = [{"address": "127.0.0.1:0"},
                  {"address": f"unix:{tmp_path}/http.sock", "tls": False}]
        return configuration(pki, domains, listen=listen, log={"access": "text"})

    with Daemon(tmp_path, settings("2d"), VALGRIND) as daemon:
        for max_age in ("3d", "4d"):
            for path, status in (("/", 404), ("/.well-known/mta-sts.txt", 200)):
                assert fetch(daemon.address, HOST, tls_context(pki), path=path).status == status
                assert exchange(connect(daemon.addresses[1]), request(
                    HOST, path=path, headers=["Connection: close"])).status == status
            with pytest.raises(OSError):
                fetch(daemon.address, "mta-sts.unknown.example", tls_context(pki))
            daemon.reload("domains: {", wanted="reload refused")
            daemon.reload(settings(max_age))
        answer = fetch(daemon.address, HOST, tls_context(pki))
        assert answer.body == policy_body("mx.example.com", max_age=4 * 86400)
