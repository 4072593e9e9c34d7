"""Tasks that nobody has code for wait a while for a worker that has it, then fail."""

from datetime import UTC, datetime, timedelta

import pytest

from reports import intervention, refusal
from reports.models import AsyncActionReport
from tests.unit.reports import ledger
from tests.unit.reports.plans import group

pytestmark = pytest.mark.django_db


def refuse(name, root=None):
    return refusal.refuse(ledger.find(name, root).id, task=name)


def move_back(name, *, seconds):
    """Have everything that has happened to a task have happened earlier."""
    row = ledger.find(name)
    by = timedelta(seconds=seconds)
    for error in row.errors:
        error["failed_at"] = (datetime.fromisoformat(error["failed_at"]) - by).isoformat().replace("+00:00", "Z")
    ledger.change(
        row.id,
        errors=row.errors,
        dispatched_at=row.dispatched_at - by,
        not_before=row.not_before and row.not_before - by,
    )


def due_in(name):
    return (ledger.find(name).due_at - datetime.now(UTC)).total_seconds()


def test_the_first_refusal_is_kept_and_its_turn_comes_again_soon():
    root = ledger.accept("a")
    assert not refuse("a")
    row = ledger.find("a")
    [error] = row.errors
    assert (error["code"], error["attempt"], error["started_at"]) == ("unknown_task", 1, None)
    assert (row.attempts, row.retries, row.losses) == (0, 0, 0)
    assert 3 < due_in("a") < 6
    assert ledger.draw(root) == "pending[a claimable]"


def test_a_worker_that_knows_it_may_claim_it_at_once():
    root = ledger.accept("a", "b")
    refuse("a")
    assert ledger.succeed("a") == ["b"]
    assert ledger.draw(root) == "running[a ok, b claimable]"


def test_later_refusals_are_not_kept_and_come_less_and_less_often(settings):
    settings.UNKNOWN_TASK_PATIENCE = 300
    ledger.accept("a")
    refuse("a")
    for seconds, delay in ((60, 30), (60, 60), (120, 60)):  # the last time ends with its patience
        move_back("a", seconds=seconds)
        assert not refuse("a")
        assert delay - 2 < due_in("a") < delay + 1
    assert len(ledger.find("a").errors) == 1


def test_after_its_patience_it_fails_and_its_action(settings):
    settings.UNKNOWN_TASK_PATIENCE = 300
    root = ledger.accept(group("a", "b"), "c")
    refuse("a")
    move_back("a", seconds=301)
    assert refuse("a")
    assert ledger.draw(root) == "failed[failed(a failed, b cancelled), c cancelled]"
    top, row = AsyncActionReport.objects.get(id=root), ledger.find("a")
    for failed in (top, row):
        assert (failed.error_code, failed.error_type, failed.error_task) == ("unknown_task", "UnknownTaskError", "a")
        assert failed.error_message.startswith("No code for a was found where it was to run")
    assert (row.due_at, [error["code"] for error in row.errors]) == (None, ["unknown_task"] * 2)


def test_a_retry_has_as_much_patience_again(settings):
    settings.UNKNOWN_TASK_PATIENCE = 300
    root = ledger.accept("a")
    refuse("a")
    move_back("a", seconds=301)
    refuse("a")
    intervention.resume(root)
    assert not refuse("a")
    assert ledger.draw(root) == "pending[a claimable]"


def test_its_patience_counts_from_its_turn_and_not_from_an_earlier_attempt(settings):
    settings.UNKNOWN_TASK_PATIENCE = 300
    ledger.accept("a")
    refuse("a")
    move_back("a", seconds=301)
    ledger.put_off("a")
    assert not refuse("a")
    assert [error["code"] for error in ledger.find("a").errors] == ["unknown_task", "broken", "unknown_task"]


@pytest.mark.parametrize("end", ["claimed", "ok", "cancelled", "waiting", "another"])
def test_what_is_not_to_be_claimed_is_left_alone(end, settings):
    settings.UNKNOWN_TASK_PATIENCE = 0.001
    root = ledger.accept("a", "b")
    if end == "claimed":
        ledger.claim("a")
    if end == "ok":
        ledger.succeed("a")
    if end == "cancelled":
        intervention.cancel(root)
    before = ledger.snapshot()
    name = "b" if end == "waiting" else "a"
    task = "c" if end == "another" else name
    assert not refusal.refuse(ledger.find(name).id, task=task)
    assert ledger.snapshot() == before
