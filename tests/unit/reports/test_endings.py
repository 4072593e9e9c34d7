from datetime import timedelta

import pytest

from reports import execution, intervention
from reports.acceptance import Timing
from reports.endings import action_ended
from reports.errors import ReportFinalError
from reports.models import AsyncActionReport
from reports.selectors import read_clock
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain, group

pytestmark = pytest.mark.django_db


@pytest.fixture
def told():
    """The actions that the ledger has told have ended, each as it was at that moment."""
    told = []

    def hear(root, **_):
        told.append((root, AsyncActionReport.objects.get(id=root).status))

    action_ended.connect(hear)
    yield told
    action_ended.disconnect(hear)


def test_nothing_is_told_before_the_end_and_the_end_once(told):
    root = ledger.accept("a", group("b", chain("c", group("d"))), "e")
    for name in "abcd":
        ledger.succeed(name)
        assert told == []
    ledger.succeed("e")
    assert told == [(root, "ok")]


@pytest.mark.parametrize("steps", [("a", group()), (chain("a"),), (group("a"),)], ids=range(3))
def test_an_action_ends_with_its_last_task(told, steps):
    root = ledger.accept(*steps)
    ledger.succeed("a")
    assert told == [(root, "ok")]


def test_an_action_may_end_as_soon_as_it_is_accepted(told):
    root = ledger.accept(group())
    assert told == [(root, "ok")]


def test_a_task_that_grows_does_not_end_its_action(told):
    root = ledger.accept("a")
    ledger.expand("a", "b")
    assert told == []
    ledger.succeed("b")
    assert told == [(root, "ok")]


def test_a_failure_ends_an_action_once(told):
    root = ledger.accept(group("a", chain("b")))
    claimed = ledger.claim("a")
    ledger.fail("b")
    assert told == [(root, "failed")]
    execution.fail(claimed.id, claimed.attempt, ledger.failure_of("a"))
    assert told == [(root, "failed")]


def test_another_attempt_is_no_end(told):
    ledger.accept("a")
    ledger.put_off("a")
    assert told == []


def test_cancelling_ends_an_action_that_had_not_ended(told):
    root = ledger.accept("a")
    claimed = ledger.claim("a")
    intervention.cancel(root)
    with pytest.raises(ReportFinalError):
        intervention.cancel(root)
    execution.succeed(claimed, None)
    assert told == [(root, "cancelled")]


def test_a_deadline_ends_an_action(told):
    root = ledger.accept("a", timing=Timing(expires_at=read_clock() - timedelta(seconds=1)))
    assert intervention.end_overdue(root)
    assert not intervention.end_overdue(root)
    assert told == [(root, "failed")]


def test_a_retry_that_finds_everything_done_is_an_end(told):
    root = ledger.accept("a")
    claimed = ledger.claim("a")
    intervention.cancel(root)
    execution.succeed(claimed, None)
    told.clear()
    intervention.resume(root)
    assert told == [(root, "ok")]


def test_a_retry_that_goes_on_is_none(told):
    root = ledger.accept("a")
    ledger.fail("a")
    told.clear()
    intervention.resume(root)
    assert told == []


def test_a_listener_that_breaks_undoes_no_outcome():
    def break_down(**_):
        raise RuntimeError

    action_ended.connect(break_down)
    try:
        root = ledger.accept("a")
        ledger.succeed("a")
    finally:
        action_ended.disconnect(break_down)
    assert AsyncActionReport.objects.get(id=root).status == "ok"
