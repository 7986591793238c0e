# SPDX-License-Identifier: MIT
"""A provider's year: customers join, enforce, move their mail, leave, and no mail is refused."""

import pytest

from provider_year import DAY_S, MX_HOSTS, Provider, Refused, date_in, dates_in
from senders import demands, lookup, secure

CUSTOMERS = [f"customer{number:03}.example" for number in range(1, 301)]
PORTIONS = [CUSTOMERS[:100], CUSTOMERS[100:200], CUSTOMERS[200:]]
HOSTED = [CUSTOMERS[99], CUSTOMERS[199], CUSTOMERS[299]]
MOVING, LEAVING, DROPPED, HASTY = (
    "customer007.example", "customer142.example", HOSTED[2], "hasty.example")
STANDARD = secure(*MX_HOSTS)
NEW_MX, OTHER_MX = "mx.new.example", "mx.elsewhere.example"
MINUTE_S = 60


@pytest.fixture(name="year", scope="module")
def year_of_a_provider(tmp_path_factory):
    provider = Provider(tmp_path_factory.mktemp("year"), [*CUSTOMERS, HASTY], HOSTED)
    with provider.open():
        yield provider


def is_after(year, date, n_days):
    """Whether a printed date is so many days from now; minutes are rounded up, and time goes on."""
    return 0 <= date - year.clock.now() - n_days * DAY_S + 4 * MINUTE_S <= 5 * MINUTE_S


def join(year, name, customers):
    """In testing: their certificate, their CNAMEs and their policies, and then the ids."""
    year.certify(name, customers)
    assert year.domains_with_an_id(customers) == []
    printed = year.change({domain: year.entry(domain) for domain in customers})
    assert f"{len(customers)} added" in printed
    year.customers_publish()
    year.await_ids(customers)   # follows when the daemon has seen that senders take the certificate
    assert year.domains_with_an_id(customers) == customers
    year.pass_days(1)
    for domain in customers:
        assert demands(lookup("strict", domain)) == STANDARD
        assert lookup("postfix", domain) == "NOTFOUND "


def enforce(year, domain):
    entry = {domain: year.entry(domain, mode="enforce")}
    printed = year.try_change(entry)
    assert f"changed: {domain}; mode testing -> enforce; id " in printed
    assert "risk" not in printed
    before = year.published_id(domain)
    year.change(entry)
    assert before != year.published_id(domain) == year.served_id(domain)
    assert demands(lookup("postfix", domain)) == STANDARD


def move_mx(year, domain, is_patient):
    """To another host; patient: by the dates that are printed."""
    both = {domain: year.entry(domain, mode="enforce", mx=[*MX_HOSTS, NEW_MX])}
    only_new = {domain: year.entry(domain, mode="enforce", mx=[NEW_MX])}

    printed = year.try_change(only_new)
    assert f"mx removed under enforce: {', '.join(MX_HOSTS)}; mx added: {NEW_MX}" in printed
    assert "list old and new mx\n        until" in printed
    assert all(is_after(year, date, 14) for date in dates_in(printed))

    printed = year.try_change(both)
    assert "do not move mail to the\n        added mx before" in printed
    until = date_in(printed)
    assert is_after(year, until, 14)
    year.deliver(domain)
    assert dates_in(year.change(both))
    if is_patient:
        for day, _ in enumerate(year.each_day_until(until)):
            year.deliver(domain)
            if day == 5:
                year.restart()
            if day % 5 == 0:  # some senders have the policy of before, and the ledger knows
                assert 0 <= date_in(year.try_change(only_new)) - until <= MINUTE_S
    year.move_mail(domain, NEW_MX)
    year.deliver(domain)

    printed = year.try_change(only_new)
    assert "only when no MX record names its host any more" in printed
    assert dates_in(printed) == [] or not is_patient
    year.change(only_new)
    for _ in year.each_day_until(year.clock.now() + 16 * DAY_S):
        year.deliver(domain)
    assert all(demands(answer) == secure(NEW_MX)
               for answer in list(year.answers(domain).values())[:5])


def leave(year, domain):
    status, printed = year.withdraw(domain)
    assert status == 1
    assert "1. Now: give it `mode: none` and `max_age: 1d`" in printed
    until = date_in(printed)
    assert is_after(year, until, 14)
    printed = year.try_change({domain: year.entry(domain, mode="none", max_age="1d")})
    assert "mode enforce -> none" in printed
    year.change({domain: year.entry(domain, mode="none", max_age="1d")})
    for _ in year.each_day_until(until):
        year.deliver(domain)
        year.reload()
        assert year.published_id(domain) == year.served_id(domain)
        status, printed = year.withdraw(domain)
        assert status == 1 and 0 <= date_in(printed) - until <= MINUTE_S
    year.pass_days(1)
    status, printed = year.withdraw(domain)
    assert status == 0 and "Remove now" in printed
    year.move_mail(domain, OTHER_MX)
    year.deliver(domain)
    assert f"removed: {domain} (none)" in year.change({domain: None})
    assert year.published_id(domain) is None
    for _ in range(16):
        year.pass_days(1)
        year.deliver(domain)


def drop(year, domain):
    """Dropped from the configuration while senders enforce: its records stay until they may go.

    postfix-mta-sts-resolver takes a policy for fresh each time that it sees the id that it knows,
    so it holds this one for max_age more, from the day on which the record goes; --withdraw says so.
    """
    before = year.published_id(domain)
    printed = year.try_change({domain: None})
    assert f"removed: {domain} (enforce)" in printed and "serve it in mode none until" in printed
    until = date_in(printed)
    assert is_after(year, until, 14)
    assert dates_in(year.change({domain: None}))
    for _ in year.each_day_until(until):
        year.reload()
        assert year.published_id(domain) == before
        year.deliver(domain)
        status, printed = year.withdraw(domain)
        assert status == 1 and 0 <= date_in(printed) - until <= MINUTE_S
    year.pass_days(1)
    year.reload()
    assert year.published_id(domain) is None
    status, printed = year.withdraw(domain)
    assert status == 0 and "do not move its mail to other hosts before" in printed
    for _ in year.each_day_until(date_in(printed)):
        year.deliver(domain)
    year.move_mail(domain, OTHER_MX)
    year.deliver(domain)


def remember(year):
    """A year later, after a restart: what the ledger says of each, and what senders see."""
    year.restart()
    status, printed = year.withdraw(LEAVING)
    assert status == 0 and f"{LEAVING} has left" in printed
    assert f"_mta-sts.{LEAVING}.sts.provider.example" in printed
    status, printed = year.withdraw(MOVING)
    assert status == 1 and is_after(year, date_in(printed), 14)
    staying = [domain for domain in CUSTOMERS if domain not in (LEAVING, DROPPED)]
    assert year.domains_with_an_id(CUSTOMERS) == staying
    year.deliver(*CUSTOMERS[::30], MOVING)
    assert demands(lookup("postfix", MOVING)) == secure(NEW_MX)
    for domain in staying[::10]:
        if domain != MOVING:
            assert demands(lookup("strict", domain)) == STANDARD


def test_year(year):
    for number, customers in enumerate(PORTIONS):
        join(year, f"portion-{number}", customers)
        year.pass_days(6)
    year.pass_days(14)
    for domain in (MOVING, LEAVING, DROPPED):
        enforce(year, domain)
    year.pass_days(30)
    move_mx(year, MOVING, is_patient=True)
    year.pass_days(60)
    leave(year, LEAVING)
    drop(year, DROPPED)
    year.go_to(year.begin + 366 * DAY_S)
    remember(year)


def test_mail_is_refused_without_patience(year):
    """What the test above would see if a date were wrong."""
    join(year, "hasty", [HASTY])
    enforce(year, HASTY)
    year.pass_days(1)
    year.deliver(HASTY)
    with pytest.raises(Refused, match=f"refuses {NEW_MX}"):
        move_mx(year, HASTY, is_patient=False)
