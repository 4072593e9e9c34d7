"""Tasks that are tried again: the wait is in the ledger."""

from datetime import UTC, datetime, timedelta

import pytest
from celery.exceptions import MaxRetriesExceededError, Retry

from reports.models import AsyncActionReport, Kind, Status
from tests.unit.tasks import messages
from tests.unit.tasks.messages import BusyError, deliver, doing, insist, raising, request, run, tasks_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("published")]


def in_seconds(moment):
    return round((moment - datetime.now(UTC)).total_seconds())


def test_a_retry_waits_in_the_ledger():
    def behaviour(self):
        raise self.retry(countdown=100, exc=BusyError("busy"))

    root = request(doing(behaviour))
    assert deliver(tasks_of(root)[0]) == "RETRY"
    (row,) = tasks_of(root)
    assert (row.status, row.retries, row.attempts, in_seconds(row.not_before)) == (Status.PENDING, 1, 1, 100)
    (error,) = row.errors
    assert (error["code"], error["type"], error["message"]) == ("busy", "BusyError", "busy")
    assert "BusyError: busy" in error["traceback"]


@pytest.mark.parametrize(
    ("when", "seconds"),
    [
        ({}, 180),
        ({"countdown": 0}, 0),
        ({"countdown": 7.5}, 8),
        ({"eta": timedelta(seconds=50)}, 50),
        ({"eta": timedelta(seconds=50), "countdown": 7}, 50),
        ({"eta": timedelta(seconds=-50)}, 0),
    ],
    ids=str,
)
@pytest.mark.parametrize("aware", [True, False])
def test_when_a_retry_is_due(when, seconds, aware):
    def behaviour(self):
        if "eta" in when:
            eta = datetime.now(UTC) + when["eta"]
            raise self.retry(**{**when, "eta": eta if aware else eta.replace(tzinfo=None)})
        raise self.retry(**when)

    assert in_seconds(run(doing(behaviour)).not_before) == pytest.approx(seconds, abs=1)


def test_a_retry_may_be_raised_later():
    returned = []

    def behaviour(self):
        returned.append(self.retry(countdown=100, throw=False))
        raise returned[0]

    row = run(doing(behaviour))
    assert (row.status, in_seconds(row.not_before)) == (Status.PENDING, 100)
    assert isinstance(returned[0], Retry)


@pytest.mark.parametrize(("when", "seconds"), [(None, 0), (20, 20)])
def test_a_retry_raised_by_hand(when, seconds):
    row = run(doing(raising(Retry("Later.", when=when))))
    assert (row.status, in_seconds(row.not_before)) == (Status.PENDING, seconds)
    assert row.errors[0]["type"] == "Retry"


def make_due(root):
    AsyncActionReport.objects.filter(root=root, not_before__isnull=False).update(not_before=None)


def test_what_is_tried_again_by_itself_fails_with_its_own_error_in_the_end():
    root = request(doing(raising(BusyError("busy")), task=insist))
    states = []
    for _ in range(3):
        make_due(root)
        states.append(deliver(tasks_of(root)[0]))
    (row,) = tasks_of(root)
    assert states == ["RETRY", "RETRY", "FAILURE"]
    assert (row.status, row.retries, row.attempts) == (Status.FAILED, 2, 3)
    assert (row.error_type, row.error_message) == ("BusyError", "busy")
    assert [error["attempt"] for error in row.errors] == [1, 2, 3]


@pytest.mark.parametrize("limit", [0, 1])
def test_a_retry_may_have_a_limit_of_its_own(limit):
    def behaviour(self):
        raise self.retry(max_retries=limit, countdown=0)

    root = request(doing(behaviour))
    for _ in range(limit + 1):
        make_due(root)
        deliver(tasks_of(root)[0])
    (row,) = tasks_of(root)
    assert (row.status, row.error_type) == (Status.FAILED, MaxRetriesExceededError.__name__)
    assert row.error_code == "retries_exhausted"
    assert row.error_message == f"messages.act was retried {limit} times."


def test_a_task_without_a_limit_is_tried_again_for_ever():
    root = request(doing(lambda self: self.retry(countdown=0)))
    AsyncActionReport.objects.filter(root=root, kind=Kind.TASK).update(retries=1000)
    messages.act.max_retries, limit = None, messages.act.max_retries
    try:
        assert deliver(tasks_of(root)[0]) == "RETRY"
    finally:
        messages.act.max_retries = limit


@pytest.mark.parametrize("change", [{"args": (1,)}, {"kwargs": {"x": 1}}, {"queue": "slow"}, {"args": ()}], ids=str)
def test_a_retry_changes_neither_arguments_nor_options(change):
    row = run(doing(lambda self: self.retry(**change)))
    assert (row.status, row.error_type) == (Status.FAILED, "TaskMisusedError")
    assert row.error_message == (
        "messages.act: a retry has the arguments and options of its report; they cannot be changed."
    )
