from dataclasses import replace

import pytest

from reports import execution, intervention
from reports.errors import ActionCancelledError, AttemptLostError, DocumentInvalidError, DocumentTooLargeError
from reports.models import AsyncActionReport
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain, group

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects
HALF = {"current": 1, "total": 2, "message": "Half."}


def test_it_is_shown_by_the_task_and_by_the_action_and_nowhere_else():
    root = ledger.accept(group("a", "b"))
    execution.report_progress(ledger.claim("a"), HALF)
    shown = {row.id: row.progress for row in ALL.all() if row.progress is not None}
    assert shown == {root: HALF, ledger.find("a").id: HALF}


def test_the_action_shows_what_was_reported_last():
    root = ledger.accept(group("a", "b"))
    execution.report_progress(ledger.claim("a"), HALF)
    execution.report_progress(ledger.claim("b"), {"current": 2})
    assert (ALL.get(id=root).progress, ledger.find("a").progress) == ({"current": 2}, HALF)


def test_an_action_that_is_final_keeps_the_progress_it_had():
    root = ledger.accept("a")
    claim = ledger.claim("a")
    execution.report_progress(claim, HALF)
    intervention.cancel(root)
    execution.report_progress(claim, {"current": 2})
    assert (ALL.get(id=root).progress, ledger.find("a").progress) == (HALF, {"current": 2})


def test_progress_that_cannot_be_kept(settings):
    settings.REPORT_MAX_PROGRESS_BYTES = 20
    ledger.accept("a")
    claim = ledger.claim("a")
    before = ledger.snapshot()
    with pytest.raises(
        DocumentTooLargeError, match=r"^The progress of a would take 26 bytes as JSON; at most 20 are allowed"
    ):
        execution.report_progress(claim, {"message": "x" * 12})
    with pytest.raises(DocumentInvalidError, match=r"^The progress of a cannot be written as JSON"):
        execution.report_progress(claim, {"message": object()})
    assert ledger.snapshot() == before


def over(end):
    """Return the claim of an attempt that is over."""
    ledger.accept("a", "b")
    claim = ledger.claim("a")
    if end == "succeed":
        execution.succeed(claim, None)
    elif end == "fail":
        execution.fail(claim.id, claim.attempt, ledger.failure_of("a"))
    elif end == "put_off":
        execution.put_off(claim.id, claim.attempt, ledger.failure_of("a"), delay=0)
    elif end == "expand":
        execution.expand(claim, chain("x"))
    else:
        execution.put_off(claim.id, claim.attempt, ledger.failure_of("a"), delay=0, lost=True)
        claim = replace(ledger.claim("a"), attempt=1)
    return claim


ENDS = ["succeed", "fail", "put_off", "expand", "superseded"]


@pytest.mark.parametrize("end", ENDS)
def test_an_attempt_that_is_over_shows_nothing(end):
    claim = over(end)
    before = ledger.snapshot()
    with pytest.raises(AttemptLostError):
        execution.report_progress(claim, HALF)
    assert ledger.snapshot() == before


# Whether an attempt is still wanted


def test_as_long_as_an_attempt_is_wanted_nothing_happens(django_assert_num_queries):
    ledger.accept("a")
    claim = ledger.claim("a")
    before = ledger.snapshot()
    with django_assert_num_queries(1):
        execution.check(claim)
    assert ledger.snapshot() == before


def test_an_attempt_for_a_cancelled_action_is_not_wanted():
    root = ledger.accept("a", action="sync")
    claim = ledger.claim("a")
    intervention.cancel(root)
    with pytest.raises(ActionCancelledError, match=r"^sync is cancelled; a is not wanted any more\.$"):
        execution.check(claim)


def test_an_attempt_for_a_failed_action_is_not_wanted():
    ledger.accept(group("a", "b"), action="sync")
    claim = ledger.claim("a")
    ledger.fail("b")
    with pytest.raises(ActionCancelledError, match=r"^sync is failed; a is not wanted any more\.$"):
        execution.check(claim)


@pytest.mark.parametrize("end", ENDS)
def test_an_attempt_that_is_over_is_lost(end):
    claim = over(end)
    with pytest.raises(AttemptLostError):
        execution.check(claim)
