import pytest
from celery.exceptions import MaxRetriesExceededError, Retry, SoftTimeLimitExceeded, TimeLimitExceeded
from django.core.exceptions import ValidationError

from reports.errors import PlanTooLargeError
from reports.failure import Failure
from tasks.failures import describe, describe_retried, is_foreseen


class BusyError(Exception):
    code = "busy"


class StatementError(Exception):
    """As SQLAlchemy has them: a code for a page of its documentation, said by the class and again by each error."""

    code = "e3q8"

    def __init__(self):
        super().__init__("(psycopg.OperationalError) server closed the connection unexpectedly")
        self.code = type(self).code


class StatusError(Exception):
    @property
    def code(self):
        return "404"


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


def test_what_an_author_gave_a_code_is_foreseen():
    assert is_foreseen(BusyError("x"))


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        ValidationError("x", code="invalid"),
        StatementError(),
        StatusError(),
        PlanTooLargeError("x"),
        MaxRetriesExceededError("x"),
        SoftTimeLimitExceeded(30),
    ],
    ids=lambda error: type(error).__name__,
)
def test_nothing_else_is(error):
    assert not is_foreseen(error)


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
