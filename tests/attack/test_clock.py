# SPDX-License-Identifier: MIT
"""The wall clock jumps under the daemon: it goes on to answer, and deadlines go on to come."""

import email.utils
import time

import pytest

from client import parse_answer, request
from shifted_clock import ShiftedClock
from target import HOST, Target, nothing_lost
from wire import read_to_end

HOUR_S, YEAR_S = 3600, 365 * 86400


@pytest.fixture(name="clock", scope="module")
def clock_of_the_target(tmp_path_factory):
    return ShiftedClock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(name="target", scope="module")
def target_with_a_clock(pki, clock, tmp_path_factory):
    wrapper = ["env", *(f"{name}={value}" for name, value in clock.environment.items())]
    with Target(tmp_path_factory.mktemp("daemon"), pki, wrapper) as target:
        for _ in range(8):
            target.fetch()
        yield target


def shown_time_s(target):
    answer = parse_answer(target.ask(request(HOST)))
    return email.utils.parsedate_to_datetime(answer.header("date")).timestamp()


@pytest.mark.parametrize("jump_s", [-HOUR_S, YEAR_S, -YEAR_S, HOUR_S])
def test_jump(target, clock, jump_s):
    with nothing_lost(target):
        waiting = [target.connect(), target.connect_tls()]
        clock.shift(jump_s)
        assert abs(shown_time_s(target) - time.time() - jump_s) < 60
        waiting += [target.connect(), target.connect_tls(), target.connect_tls()]
        waiting[-1].sendall(request(HOST)[:-2])
        with target.fetched_meanwhile():
            for connection in waiting:
                assert read_to_end(connection) == b""
                connection.close()
        clock.shift(0)
        assert abs(shown_time_s(target) - time.time()) < 60
