import pytest
from django.db import transaction

from reports.errors import AttemptLostError, DocumentTooLargeError
from reports.models import AsyncActionReport
from tasks import progress
from tasks.progress import Progress
from tests.unit.reports import ledger

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets: ``clock.append(5.0)``."""
    times = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: times[-1])
    return times


@pytest.fixture
def claim():
    ledger.accept("a")
    return ledger.claim("a")


def current():
    return AsyncActionReport.objects.get(task="a").progress["current"]


def test_what_is_shown(claim):
    Progress().report(claim, current=1.5, total=None, message="Half.")
    assert ledger.find("a").progress == {"current": 1.5, "total": None, "message": "Half."}


def test_it_is_written_once_a_second(claim, clock, django_assert_num_queries):
    shown = Progress()
    shown.report(claim, current=1, total=9, message="")
    for moment, now in ((0.5, 2), (0.99, 3)):
        clock.append(moment)
        with django_assert_num_queries(0):
            shown.report(claim, current=now, total=9, message="")
    assert current() == 1
    for moment, now in ((1.0, 4), (1.5, 5), (2.0, 6)):
        clock.append(moment)
        shown.report(claim, current=now, total=9, message="")
    assert current() == 6


def test_every_attempt_begins_at_once(claim, clock):
    Progress().report(claim, current=1, total=9, message="")
    Progress().report(claim, current=2, total=9, message="")
    assert current() == 2


def test_a_message_that_is_too_long(claim):
    with pytest.raises(DocumentTooLargeError, match=r"^The progress of a would take "):
        Progress().report(claim, current=1, total=9, message="x" * 5000)


def test_an_attempt_that_is_over(claim):
    ledger.execution.succeed(claim, None)
    with pytest.raises(AttemptLostError):
        Progress().report(claim, current=1, total=9, message="")


def test_in_a_transaction_of_the_task_it_is_written_after_the_commit(claim, django_assert_num_queries):
    with transaction.atomic():
        with django_assert_num_queries(0):  # which would hold up whoever cancels the action until the commit
            Progress().report(claim, current=1, total=9, message="")
        assert ledger.find("a").progress is None
    assert current() == 1


def test_what_is_wrong_with_it_is_told_before_the_commit(claim):
    with pytest.raises(DocumentTooLargeError), transaction.atomic():
        Progress().report(claim, current=1, total=9, message="x" * 5000)
