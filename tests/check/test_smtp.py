# SPDX-License-Identifier: MIT
"""How MX hosts are treated: with patience, but not too much of it, and politely."""

import json
import time

from conftest import check
from scenarios_mx import TARPITS


def codes(done):
    return {each["domain"]: {finding["code"] for finding in each["findings"]}
            for each in json.loads(done.stdout)["domains"]}


def test_tarpits_cost_little_time(internet):
    """100 hosts that are silent, dribble or never end their greeting, each for itself."""
    domains = [f"d{n}.tar.example" for n in range(len(TARPITS))]
    begin = time.monotonic()
    found = codes(check(internet, "--json", *domains, timeout_s=4))
    elapsed_s = time.monotonic() - begin
    assert [{"smtp-refuses-us", "smtp-broken"} & found[domain] for domain in domains] == \
        [{"smtp-broken"} if n % 3 == 2 else {"smtp-refuses-us"} for n in range(len(TARPITS))]
    # Two thirds of them cost 2 seconds each, half of the time limit, and 32 are asked at a time.
    assert 4 <= elapsed_s < 16


def test_a_host_is_visited_once_for_all_domains(internet):
    domains = ["good.example", "lf.example", "week.example", "spare-pattern.example"]
    before = internet.mail.n_connections["mx1.provider.example"]
    check(internet, *domains)
    # With its name in the handshake and without.
    assert internet.mail.n_connections["mx1.provider.example"] - before == 2


def test_a_host_gets_one_connection_at_a_time(internet):
    internet.mail.n_most.clear()
    check(internet, "many-addresses.example")
    assert internet.mail.n_most["many-addresses.mail.example"] == 1


def test_an_address_gets_so_many_connections_a_minute(internet):
    """Six hosts at one address, two connections each: four at once, then one each second."""
    begin = time.monotonic()
    check(internet, *(f"c{n}.crowd.example" for n in range(6)))
    assert 8 <= time.monotonic() - begin < 20
