import pytest
from celery.exceptions import Retry, SoftTimeLimitExceeded, TimeLimitExceeded

from reports.failure import Failure
from tasks.failures import describe, describe_retried


class BusyError(Exception):
    code = "busy"


def raised(error, *, during=None, because=None):
    """Return an error as it is after it was raised."""
    error.__context__, error.__cause__ = during, because
    with pytest.raises(type(error)):
        raise error
    return error


@pytest.mark.parametrize("error", [SoftTimeLimitExceeded(30), TimeLimitExceeded(30)])
def test_both_time_limits_are_time_outs(error):
    failure = describe(error, task="a", traceback="Traceback ...")
    assert (failure.code, failure.message) == ("timed_out", "a ran longer than its time limit of 30 s.")
    assert (failure.task, failure.traceback) == ("a", "Traceback ...")


def test_everything_else_is_what_it_is():
    assert describe(BusyError("x"), task="a") == Failure("busy", "BusyError", "x", "a", "")


@pytest.mark.parametrize(
    ("retry", "said"),
    [
        (raised(Retry(exc=BusyError("told"))), "told"),
        (raised(Retry(), during=BusyError("during")), "during"),
        (raised(Retry(exc=BusyError("told")), during=BusyError("during")), "told"),
        (raised(Retry(exc=ValueError("stand-in")), because=BusyError("cause")), "cause"),
    ],
    ids=["told", "during", "told during", "stand-in"],
)
def test_a_retry_is_described_by_what_it_is_for(retry, said):
    failure = describe_retried(retry, task="a")
    assert (failure.code, failure.message, failure.task) == ("busy", said, "a")
    assert f"BusyError: {said}" in failure.traceback


def test_a_retry_for_nothing_is_described_by_itself():
    failure = describe_retried(raised(Retry("Later.", when=5)), task="a")
    assert (failure.code, failure.type) == ("task_failed", "Retry")
    assert "test_failures.py" in failure.traceback


def test_a_retry_after_a_time_limit_is_a_time_out():
    assert describe_retried(Retry(exc=SoftTimeLimitExceeded(5)), task="a").code == "timed_out"
