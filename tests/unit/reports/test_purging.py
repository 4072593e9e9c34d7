from datetime import UTC, datetime, timedelta

import pytest

from reports import execution, intervention, purging
from reports.errors import AttemptLostError
from reports.models import AsyncActionReport
from reports.purging import purge_batch
from tests.unit.reports import ledger
from tests.unit.reports.plans import group

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects
DAY = 24 * 3600.0


def finished(days, *, action="test", end=ledger.succeed):
    """Have an action end, so many days ago."""
    root = ledger.accept("a", action=action)
    end("a", root=root)
    ledger.change(root, finished_at=datetime.now(UTC) - timedelta(days=days))
    return root


def left():
    return set(ALL.filter(parent=None).values_list("id", flat=True))


def test_what_ended_long_ago_is_deleted_whole():
    old, young = finished(31), finished(29)
    assert purge_batch(older_than=30 * DAY) == 1
    assert left() == {young}
    assert not ALL.filter(root=old).exists()
    assert ALL.filter(root=young).count() == 2
    assert purge_batch(older_than=30 * DAY) == 0


def test_whatever_its_end_was():
    finished(31, end=ledger.fail)
    cancelled = ledger.accept("a")
    intervention.cancel(cancelled)
    ledger.change(cancelled, finished_at=datetime.now(UTC) - timedelta(days=31))
    assert purge_batch(older_than=30 * DAY) == 2


def test_what_has_not_ended_is_kept_however_old():
    root = ledger.accept("a", "b")
    ledger.succeed("a")
    ledger.change(ledger.find("a").id, finished_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert purge_batch(older_than=DAY) == 0
    assert left() == {root}


def test_what_was_resumed_is_kept():
    root = finished(31, end=ledger.fail)
    intervention.resume(root)
    assert purge_batch(older_than=30 * DAY) == 0


def test_one_action_s_reports_alone_or_all_but_some():
    mine, yours, theirs = (finished(31, action=action) for action in ("mine", "yours", "theirs"))
    assert purge_batch(older_than=30 * DAY, action="mine") == 1
    assert left() == {yours, theirs}
    assert purge_batch(older_than=30 * DAY, except_actions=["yours", "mine"]) == 1
    assert left() == {yours}
    assert mine != theirs


def test_the_oldest_first_so_many_at_a_time(monkeypatch):
    monkeypatch.setattr(purging, "_ROOTS_PER_BATCH", 2)
    roots = [finished(days) for days in (32, 34, 31, 33)]
    assert purge_batch(older_than=30 * DAY) == 2
    assert left() == {roots[0], roots[2]}


def test_no_more_tasks_at_a_time_than_hold_nothing_up(monkeypatch):
    monkeypatch.setattr(purging, "_TASKS_PER_BATCH", 2)
    for _ in range(5):
        finished(31)
    assert [purge_batch(older_than=30 * DAY) for _ in range(3)] == [3, 2, 0]


def test_a_tree_of_more_rows_than_one_statement_deletes(monkeypatch):
    monkeypatch.setattr(purging, "_ROWS_PER_DELETE", 4)
    root = ledger.accept(group(*"abcdefg"))
    intervention.cancel(root)
    ledger.change(root, finished_at=datetime.now(UTC) - timedelta(days=31))
    assert purge_batch(older_than=30 * DAY) == 1
    assert not ALL.exists()


def test_what_was_in_flight_when_its_action_was_deleted_changes_nothing():
    root = ledger.accept("a")
    claim = ledger.claim("a")
    intervention.cancel(root)
    ledger.change(root, finished_at=datetime.now(UTC) - timedelta(days=31))
    assert purge_batch(older_than=30 * DAY) == 1
    with pytest.raises(AttemptLostError):
        execution.succeed(claim, None)
    with pytest.raises(AttemptLostError):
        execution.fail(claim.id, claim.attempt, ledger.failure_of("a"))
    assert not ALL.exists()
