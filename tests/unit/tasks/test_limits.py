import signal

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from billiard.pool import SIG_SOFT_TIMEOUT, soft_timeout_sighandler

from tasks.limits import holding_back_limits, past_limits
from tasks.patience import patiently


@pytest.fixture(autouse=True)
def _as_in_a_child_of_a_pool():
    before = signal.signal(SIG_SOFT_TIMEOUT, soft_timeout_sighandler)
    yield
    signal.signal(SIG_SOFT_TIMEOUT, before)


def strike():
    signal.raise_signal(SIG_SOFT_TIMEOUT)


def test_a_limit_that_strikes_is_held_back():
    done = []

    @holding_back_limits()
    def work():
        strike()
        done.append("all of it")

    with pytest.raises(SoftTimeLimitExceeded):
        work()
    assert done == ["all of it"]


def test_one_in_another_strikes_after_both():
    done = []

    @holding_back_limits()
    def work():
        with holding_back_limits():
            strike()
        done.append("the outer one too")

    with pytest.raises(SoftTimeLimitExceeded):
        work()
    assert done == ["the outer one too"]


def test_one_that_comes_too_late_never_strikes():
    with past_limits():
        with holding_back_limits():
            strike()
        strike()
    with holding_back_limits():
        pass


def test_it_strikes_a_task_at_once():
    with holding_back_limits():
        pass
    with pytest.raises(SoftTimeLimitExceeded):
        strike()


def test_a_write_to_the_ledger_is_whole():
    written = []

    def write():
        strike()
        written.append("row")

    with pytest.raises(SoftTimeLimitExceeded):
        patiently(write)
    assert written == ["row"]
