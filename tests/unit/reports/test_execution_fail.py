from datetime import datetime

import pytest

from reports import execution, intervention
from reports.errors import AttemptLostError
from reports.models import AsyncActionReport, Status
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain, group

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects


def error_of(row):
    return row.error_code, row.error_type, row.error_message, row.error_task, row.error_traceback


def test_the_failure_is_kept_with_its_moment():
    ledger.accept("a")
    ledger.fail("a")
    row = ledger.find("a")
    assert row.status == Status.FAILED
    assert error_of(row) == ("broken", "BrokenError", "It broke.", "a", "Traceback ...")
    assert row.finished_at >= row.started_at


def test_the_failed_attempt_is_kept_among_the_errors():
    ledger.accept("a")
    ledger.fail("a")
    row = ledger.find("a")
    (error,) = row.errors
    started_at, failed_at = (datetime.fromisoformat(error.pop(key)) for key in ("started_at", "failed_at"))
    assert error == {
        "attempt": 1,
        "code": "broken",
        "type": "BrokenError",
        "message": "It broke.",
        "task": "a",
        "traceback": "Traceback ...",
        "retryable": True,
    }
    assert started_at == row.started_at
    assert started_at <= failed_at <= row.finished_at
    assert failed_at.utcoffset() is not None


def test_everything_above_fails_with_the_task_s_error_and_says_whose_it_is():
    root = ledger.accept(group(chain("a", group("b"))), "c")
    ledger.succeed("a")
    ledger.fail("b")
    failed = ledger.find("b")
    above = ALL.filter(root=root, status=Status.FAILED).exclude(id=failed.id)
    assert above.count() == 4
    for row in above:
        assert error_of(row) == ("broken", "BrokenError", "It broke.", "b", "")
        assert (row.outcome_from, row.errors, row.finished_at is None) == (failed.id, [], False)


@pytest.mark.parametrize(
    ("failing", "drawn"),
    [
        ("a", "failed[a failed, cancelled(b cancelled, cancelled[c cancelled, d cancelled]), e cancelled]"),
        ("b", "failed[a ok, failed(b failed, cancelled[c cancelled, d cancelled]), e cancelled]"),
        ("c", "failed[a ok, failed(b cancelled, failed[c failed, d cancelled]), e cancelled]"),
        ("d", "failed[a ok, failed(b cancelled, failed[c ok, d failed]), e cancelled]"),
        ("e", "failed[a ok, ok(b ok, ok[c ok, d ok]), e failed]"),
    ],
)
def test_at_every_place_what_was_not_started_is_cancelled(failing, drawn):
    root = ledger.accept("a", group("b", chain("c", "d")), "e")
    before = {"a": "", "b": "a", "c": "a", "d": "ac", "e": "abcd"}[failing]
    for name in before:
        ledger.succeed(name)
    ledger.fail(failing)
    assert ledger.draw(root) == drawn


def test_what_is_cancelled_is_not_due_any_more():
    ledger.accept(group("a", "b"), "c")
    ledger.fail("a")
    assert set(ALL.filter(status=Status.CANCELLED).values_list("due_at", flat=True)) == {None}
    assert not ALL.filter(status=Status.CANCELLED, finished_at=None).exists()


def test_what_is_in_flight_goes_on_and_nothing_follows_from_it():
    root = ledger.accept(group("a", chain("b", "c"), "d"), "e")
    second = ledger.claim("b")
    third = ledger.claim("d")
    ledger.fail("a")
    assert ledger.draw(root) == "failed[failed(a failed, cancelled[b running, c cancelled], d running), e cancelled]"
    assert execution.succeed(second, None) == []
    assert execution.succeed(third, None) == []
    assert ledger.draw(root) == "failed[failed(a failed, cancelled[b ok, c cancelled], d ok), e cancelled]"


def test_the_first_failure_is_the_action_s():
    root = ledger.accept(group("a", "b"))
    second = ledger.claim("b")
    ledger.fail("a", ledger.failure_of("a", "First."))
    execution.fail(second.id, second.attempt, ledger.failure_of("b", "Second."))
    assert ledger.draw(root) == "failed[failed(a failed, b failed)]"
    assert ALL.get(id=root).error_message == "First."
    assert ledger.find("b").error_message == "Second."


def test_a_failure_after_the_action_was_cancelled():
    root = ledger.accept(group("a", "b"))
    claim = ledger.claim("a")
    intervention.cancel(root)
    execution.fail(claim.id, claim.attempt, ledger.failure_of("a"))
    assert ledger.draw(root) == "cancelled[cancelled(a failed, b cancelled)]"
    assert ALL.get(id=root).error_code == ""


def test_a_failure_in_what_a_task_grew_into():
    root = ledger.accept(group("a", "b"), "c")
    ledger.expand("a", "x", "y")
    ledger.fail("x")
    assert ledger.draw(root) == "failed[failed(failed[x failed, y cancelled], b cancelled), c cancelled]"
    assert ledger.find("a").error_task == "x"


def test_the_errors_of_all_attempts_are_kept_oldest_first():
    ledger.accept("a")
    ledger.put_off("a")
    ledger.put_off("a", lost=True)
    ledger.fail("a")
    assert [error["attempt"] for error in ledger.find("a").errors] == [1, 2, 3]


def test_so_many_errors_are_kept_and_no_more(settings):
    settings.REPORT_MAX_ERRORS = 2
    ledger.accept("a")
    ledger.put_off("a")
    ledger.put_off("a")
    ledger.fail("a")
    assert [error["attempt"] for error in ledger.find("a").errors] == [2, 3]


@pytest.mark.parametrize("end", ["succeed", "fail", "put_off", "expand"])
def test_an_attempt_that_is_over(end):
    ledger.accept("a", "b")
    claim = ledger.claim("a")
    if end == "succeed":
        execution.succeed(claim, None)
    elif end == "fail":
        execution.fail(claim.id, claim.attempt, ledger.failure_of("a"))
    elif end == "put_off":
        execution.put_off(claim.id, claim.attempt, ledger.failure_of("a"), delay=0)
    else:
        execution.expand(claim, chain("x"))
    before = ledger.snapshot()
    with pytest.raises(AttemptLostError):
        execution.fail(claim.id, claim.attempt, ledger.failure_of("a", "Late."))
    assert ledger.snapshot() == before


@pytest.mark.parametrize("attempt", [0, 1, 3])
def test_the_attempt_of_somebody_else(attempt):
    root = ledger.accept("a")
    ledger.put_off("a")
    claim = ledger.claim("a")
    before = ledger.snapshot()
    with pytest.raises(AttemptLostError):
        execution.fail(claim.id, attempt, ledger.failure_of("a"))
    with pytest.raises(AttemptLostError):
        execution.fail(root, 0, ledger.failure_of("a"))
    assert ledger.snapshot() == before
