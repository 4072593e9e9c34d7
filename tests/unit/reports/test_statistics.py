"""How the service is, as figures: each sample against what was written."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.contrib.auth import get_user_model

from reports import execution, intervention, statistics
from reports.failure import Failure
from reports.models import AsyncActionReport, Status
from reports.selectors import read_clock
from reports.statistics import SLICE
from tests.unit.reports import ledger

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def now():
    return read_clock()


def ended(action, finished_at, *, waited=2.0, ran=3.0, status="ok", **columns):
    root = ledger.accept("a", action=action)
    started = finished_at - ran * SECOND
    ALL.filter(id=root).update(
        status=status, created_at=started - waited * SECOND, started_at=started, finished_at=finished_at, **columns
    )
    return root


class TestMeasureFinished:
    def test_tells_how_long_they_waited_and_ran(self, now):
        ended("one", now - 60 * SECOND, waited=4, ran=8)
        ended("old", now - 2 * HOUR)
        ledger.accept("a", action="not yet")

        (measured,) = statistics.measure_finished(now - HOUR)

        assert (measured.action, measured.status) == ("one", Status.OK)
        assert (measured.queued, measured.ran) == (pytest.approx(4, abs=0.01), pytest.approx(8, abs=0.01))

    def test_the_wait_begins_when_it_may_run_or_was_retried(self, now):
        end = now - 60 * SECOND
        ended("scheduled", end, waited=100, ran=3, not_before=end - 5 * SECOND)
        ended("retried", end, waited=100, ran=3, dispatched_at=end - 4 * SECOND)

        queued = {one.action: round(one.queued) for one in statistics.measure_finished(now - HOUR)}

        assert queued == {"scheduled": 2, "retried": 1}

    def test_what_never_ran_has_no_times(self, now):
        ended("cancelled", now, status="cancelled")
        ALL.update(started_at=None)

        (measured,) = statistics.measure_finished(now - HOUR)

        assert (measured.queued, measured.ran) == (None, None)

    def test_takes_the_newest(self, now, monkeypatch):
        monkeypatch.setattr(statistics, "MOST_MEASURED", 2)
        for minutes in (3, 1, 2):
            ended(f"{minutes}", now - timedelta(minutes=minutes))

        assert [one.action for one in statistics.measure_finished(now - HOUR)] == ["1", "2"]


class TestCounts:
    def test_what_ended_is_counted_by_slices(self, now):
        (*_, slice_) = [start for start in statistics.slices(now - HOUR, now) if start + SLICE < now]
        for place in (0.01, 0.5, 0.99):
            ended("a", slice_ + place * SLICE)
        ended("a", slice_ - SECOND)

        counted = statistics.count_finished(now - HOUR)

        assert counted == {slice_: 3, slice_ - SLICE: 1}

    def test_what_was_accepted_is_counted_whoever_asked(self, now):
        for name in ("ada", "bob"):
            owner = get_user_model().objects.create(username=name).id
            ledger.accept("a", "b", requested_by=owner)
        ledger.accept("a")

        counted = statistics.count_accepted(now - HOUR)

        assert sum(counted.values()) == 3
        assert set(counted) <= set(statistics.slices(now - HOUR, now + SLICE))

    def test_the_slices_are_whole_and_none_is_missing(self, now):
        starts = list(statistics.slices(now - HOUR, now))

        assert now - HOUR < starts[0] <= now - HOUR + SLICE
        assert now - SLICE < starts[-1] <= now
        assert {later - earlier for earlier, later in pairwise(starts)} == {SLICE}


class TestFailures:
    def test_are_grouped_by_what_they_have_in_common(self, now):
        same = {"status": "failed", "error_code": "gone", "error_type": "GoneError"}
        ended("sync", now - 300 * SECOND, **same)
        latest = ended("sync", now - 100 * SECOND, **same)
        ended("sync", now - 200 * SECOND, **same)
        ended("sync", now, **{**same, "error_type": "KeyError"})
        ended("other", now, **same)
        ended("sync", now)

        first, *others = statistics.group_failures(now - HOUR)

        assert (first.action, first.code, first.type, first.number) == ("sync", "gone", "GoneError", 3)
        assert first.latest == latest
        assert round((first.last_at - first.first_at) / SECOND) == 200
        assert [(group.action, group.type, group.number) for group in others] == [
            ("other", "GoneError", 1),
            ("sync", "KeyError", 1),
        ]


class TestRunning:
    def test_tells_who_runs_what(self):
        root = ledger.accept("a", "b", action="sync")
        claim = ledger.claim("a", worker="w@here#1:42-x")

        (running,) = statistics.list_running()

        assert (running.id, running.root, running.action, running.task) == (claim.id, root, "sync", "a")
        assert (running.worker, running.attempt) == ("w@here#1:42-x", 1)
        assert 0 <= running.runs_for < 60
        execution.succeed(claim, None)
        assert statistics.list_running() == []

    def test_the_longest_silent_come_first(self, now):
        ledger.accept("a", "b")
        ledger.claim("a")
        ledger.accept("c")
        ledger.claim("c")
        ALL.filter(task="c").update(heartbeat_at=now - HOUR)

        assert [running.task for running in statistics.list_running()] == ["c", "a"]


def test_a_failed_and_resumed_action_is_a_failure_no_more(now):
    root = ledger.accept("a")
    claim = ledger.claim("a")
    execution.fail(claim.id, claim.attempt, Failure("gone", "GoneError", "It is gone.", "a", ""))
    assert [group.number for group in statistics.group_failures(now - HOUR)] == [1]

    intervention.resume(root)

    assert statistics.group_failures(now - HOUR) == []
