from datetime import timedelta

import pytest

from reports import execution, intervention
from reports.errors import AttemptLostError
from reports.models import AsyncActionReport, Status
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain, group

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects


def test_the_task_waits_for_its_next_attempt():
    root = ledger.accept("a", "b")
    ledger.put_off("a", delay=100.0)
    row = ledger.find("a")
    assert ledger.draw(root) == "running[a delayed, b waiting]"
    assert row.not_before - row.started_at == pytest.approx(timedelta(seconds=100), abs=timedelta(seconds=5))
    assert row.due_at == pytest.approx(row.not_before, abs=timedelta(milliseconds=1))
    assert (row.finished_at, row.error_code) == (None, "")


def test_without_a_delay_it_may_be_claimed_at_once():
    root = ledger.accept("a")
    ledger.put_off("a")
    assert ledger.draw(root) == "running[a claimable]"
    assert ledger.succeed("a") == []
    assert ledger.draw(root) == "ok[a ok]"


def test_retries_and_losses_are_counted_apart():
    ledger.accept("a")
    for lost in (False, True, False):
        ledger.put_off("a", lost=lost)
    row = ledger.find("a")
    assert (row.attempts, row.retries, row.losses) == (3, 2, 1)


def test_the_error_of_the_attempt_is_kept():
    ledger.accept("a")
    ledger.put_off("a")
    (error,) = ledger.find("a").errors
    assert (error["attempt"], error["code"], error["message"]) == (1, "broken", "It broke.")


def test_the_next_turn_of_recovery_is_counted_anew():
    ledger.accept("a")
    ledger.change(ledger.find("a").id, publications=7)
    ledger.put_off("a")
    assert ledger.find("a").publications == 0


@pytest.mark.parametrize("lost", [False, True])
def test_nothing_waits_under_a_final_root(lost):
    root = ledger.accept(group("a", "b"))
    claim = ledger.claim("a")
    ledger.fail("b")
    execution.put_off(claim.id, claim.attempt, ledger.failure_of("a"), delay=0, lost=lost)
    row = ledger.find("a")
    assert ledger.draw(root) == "failed[failed(a cancelled, b failed)]"
    assert (row.not_before, row.finished_at is None, len(row.errors)) == (None, False, 1)
    assert row.due_at is None


def test_nothing_waits_under_a_cancelled_root():
    root = ledger.accept("a")
    claim = ledger.claim("a")
    intervention.cancel(root)
    execution.put_off(claim.id, claim.attempt, ledger.failure_of("a"), delay=0)
    assert ledger.find("a").status == Status.CANCELLED


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
        execution.put_off(claim.id, claim.attempt, ledger.failure_of("a"), delay=0)
    assert ledger.snapshot() == before
