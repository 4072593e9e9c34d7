"""Bars: what a row of the timeline shows of what the ledger knows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import timeline
from console.timeline import Axis
from reports.models import Kind, Status
from reports.timeline import Step

START = datetime(2026, 11, 24, tzinfo=UTC)
TIMES = ("not_before", "dispatched_at", "started_at", "finished_at")
AXIS = Axis(START, START + timedelta(seconds=100))


def at(seconds):
    return None if seconds is None else START + timedelta(seconds=seconds)


def step(id_=1, parent=0, **fields):
    moments = {
        name: at(fields.pop(name, None))
        for name in ("not_before", "dispatched_at", "started_at", "heartbeat_at", "finished_at")
    }
    values = {
        "position": 0,
        "kind": Kind.TASK,
        "status": Status.PENDING,
        "task": "a",
        "attempts": 0,
        "worker": "",
        "children_total": 0,
        "children_ok": 0,
        "progress": None,
        "errors": [],
        **moments,
        **fields,
    }
    return Step(id=UUID(int=id_), parent=UUID(int=parent), **values)


def failed(attempt, start, end):
    return {
        "attempt": attempt,
        "started_at": at(start).isoformat(),
        "failed_at": at(end).isoformat(),
        "code": "gone",
    }


def bars(one, *, now=100):
    (line,) = timeline.lines([one], AXIS, at(now), lease=30)
    return [(bar.kind, round(bar.left), round(bar.left + bar.width)) for bar in line.bars]


class TestBars:
    def test_what_waits_for_others_has_none(self):
        assert bars(step()) == []

    def test_what_waits_for_a_worker(self):
        assert bars(step(dispatched_at=20), now=50) == [("queued", 20, 50)]

    def test_what_waits_for_its_time_and_then_for_a_worker(self):
        assert bars(step(dispatched_at=20, not_before=40), now=50) == [("delayed", 20, 40), ("queued", 40, 50)]
        assert bars(step(dispatched_at=20, not_before=400), now=50) == [("delayed", 20, 50)]

    def test_what_runs(self):
        running = step(status=Status.RUNNING, dispatched_at=10, started_at=20, attempts=1)

        assert bars(running, now=50) == [("queued", 10, 20), ("running", 20, 50)]

    def test_what_is_ok_after_a_retry(self):
        ok = step(
            status=Status.OK,
            attempts=2,
            errors=[failed(1, 20, 30)],
            dispatched_at=10,
            not_before=50,
            started_at=60,
            finished_at=80,
        )

        assert bars(ok) == [
            ("queued", 10, 20),
            ("failed", 20, 30),
            ("delayed", 30, 50),
            ("queued", 50, 60),
            ("ok", 60, 80),
        ]

    def test_what_failed_after_two_retries_knows_its_last_delay_alone(self):
        errors = [failed(1, 10, 20), failed(2, 30, 40), failed(3, 60, 70)]
        over = step(
            status=Status.FAILED,
            attempts=3,
            errors=errors,
            dispatched_at=10,
            not_before=50,
            started_at=60,
            finished_at=70,
        )

        assert bars(over) == [
            ("failed", 10, 20),
            ("delayed", 20, 30),
            ("failed", 30, 40),
            ("delayed", 40, 50),
            ("queued", 50, 60),
            ("failed", 60, 70),
        ]

    def test_what_was_resumed_waits_anew(self):
        resumed = step(attempts=1, errors=[failed(1, 10, 20)], dispatched_at=70, started_at=10)

        assert bars(resumed, now=90) == [("failed", 10, 20), ("queued", 70, 90)]

    def test_what_was_cancelled_while_it_ran(self):
        stopped = step(status=Status.CANCELLED, attempts=1, dispatched_at=10, started_at=10, finished_at=30)

        assert bars(stopped) == [("cancelled", 10, 30)]

    def test_a_group_lasts_from_its_turn_to_its_end(self):
        over = step(kind=Kind.GROUP, task="", status=Status.OK, dispatched_at=10, finished_at=90)

        assert bars(over) == [("span-ok", 10, 90)]

    def test_an_error_without_times_is_left_out(self):
        assert bars(step(attempts=1, errors=[{"attempt": 1, "started_at": None, "failed_at": None}])) == []

    @given(
        status=st.sampled_from(Status),
        kind=st.sampled_from(Kind),
        attempts=st.integers(0, 4),
        times=st.fixed_dictionaries(dict.fromkeys(TIMES, st.none() | st.integers(-50, 200))),
        errors=st.lists(st.tuples(st.integers(0, 4), st.integers(-50, 150), st.integers(0, 50)), max_size=3),
    )
    def test_whatever_the_ledger_says_bars_are_on_the_axis(self, status, kind, attempts, times, errors):
        told = [failed(number, start, start + length) for number, start, length in errors]
        any_step = step(status=status, kind=kind, attempts=attempts, errors=told, **times)

        (line,) = timeline.lines([any_step], AXIS, at(100), lease=30)

        for bar in line.bars:
            assert 0 <= bar.left <= bar.left + bar.width <= 100.001
            assert bar.width > 0
            assert bar.seconds >= 0


class TestTree:
    def test_stands_in_the_order_of_the_plan_and_children_below_their_parents(self):
        # A task that grew has children with later ids than what follows it.
        steps = [step(1), step(2, position=1), step(3, parent=1, position=1), step(4, parent=1)]

        shown = [(line.step.id.int, line.depth) for line in timeline.lines(steps, AXIS, START, lease=30)]

        assert shown == [(1, 0), (4, 1), (3, 1), (2, 0)]

    def test_those_without_their_parent_stand_at_the_top(self):
        steps = [step(7, parent=5, position=6), step(8, parent=5, position=7), step(9, parent=8)]

        shown = [(line.step.id.int, line.depth) for line in timeline.lines(steps, AXIS, START, lease=30)]

        assert shown == [(7, 0), (8, 0), (9, 1)]


class TestLine:
    @pytest.mark.parametrize(("heard_of", "is_late"), [(95, False), (60, True)])
    def test_is_late_when_its_worker_is_silent_for_a_lease(self, heard_of, is_late):
        running = step(status=Status.RUNNING, started_at=10, heartbeat_at=heard_of, attempts=1)

        (line,) = timeline.lines([running], AXIS, at(100), lease=30)

        assert line.is_late is is_late

    def test_has_another_version_when_anything_but_time_goes_on(self):
        waiting = step(dispatched_at=10)
        changes = [
            {"status": Status.RUNNING},
            {"attempts": 1},
            {"errors": [failed(1, 2, 3)]},
            {"children_ok": 1},
            {"kind": Kind.CHAIN},
            {"dispatched_at": at(11)},
        ]

        def version(one, now):
            (line,) = timeline.lines([one], AXIS, at(now), lease=30)
            return line.version

        assert version(waiting, 50) == version(waiting, 60)
        assert version(waiting, 50) not in [version(replace(waiting, **change), 50) for change in changes]


class TestAxis:
    @given(st.floats(0.001, 40 * 365 * 86_400))
    def test_has_a_few_marks_at_readable_distances(self, seconds):
        axis = Axis(START, START + timedelta(seconds=seconds))

        ticks = axis.ticks

        assert ticks[0].left == 0
        assert len(ticks) <= 12
        assert all(tick.left <= 100.001 for tick in ticks)
