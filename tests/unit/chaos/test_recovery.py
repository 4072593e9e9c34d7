from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from chaos.ledger import Mark
from chaos.recovery import Recoveries, percentile
from chaos.watch import Watch

WAITING, RUNNING, OTHER = uuid4(), uuid4(), uuid4()
BEAT = datetime(2026, 11, 24, tzinfo=UTC)


def mark(attempts: int = 0, worker: str = "", heartbeat_at: datetime | None = None) -> Mark:
    return Mark(attempts, bool(worker), worker, heartbeat_at)


UNDER_WAY = {WAITING: mark(), RUNNING: mark(1, "one", BEAT), OTHER: mark(1, "other", BEAT)}


@pytest.fixture
def watch() -> Watch:
    return Watch(["other"])


@pytest.fixture
def recoveries(watch: Watch) -> Recoveries:
    return Recoveries(watch)


def begin(recoveries: Recoveries, at: float = 10, *, worker: str = "one", heals_by_heartbeat: bool = False) -> None:
    recoveries.begin(
        "kill", at, UNDER_WAY, hits=lambda mark: mark.worker == worker, heals_by_heartbeat=heals_by_heartbeat
    )


def look(recoveries: Recoveries, at: float, **changes: Mark | None) -> list[float]:
    """Look at the ledger with changes in it. Returns the seconds of what has been recovered from by then."""
    ids = {"waiting": WAITING, "running": RUNNING, "other": OTHER}
    there = UNDER_WAY | {ids[name]: mark for name, mark in changes.items()}
    recoveries.look(at, {id_: mark for id_, mark in there.items() if mark})
    return [recovery.seconds for recovery in recoveries.done]


def test_it_takes_until_the_last_task_goes_on(recoveries: Recoveries) -> None:
    begin(recoveries)
    assert look(recoveries, 11) == []
    assert look(recoveries, 12, waiting=mark(1, "other")) == []
    assert look(recoveries, 15, waiting=None, running=None) == [5]
    assert recoveries.done[0].last == RUNNING


def test_a_task_in_the_hands_of_another_does_not_count(recoveries: Recoveries) -> None:
    begin(recoveries)
    assert look(recoveries, 12, waiting=None, running=mark(2, "other")) == [2]


def test_a_task_that_waits_again_has_not_gone_on(recoveries: Recoveries) -> None:
    begin(recoveries)
    assert look(recoveries, 12, waiting=None, running=mark(1)) == []
    assert look(recoveries, 13, waiting=None, running=mark(2, "other")) == [3]


def test_a_heartbeat_counts_only_where_connections_were_cut(recoveries: Recoveries) -> None:
    beats = mark(1, "one", BEAT.replace(second=1))
    begin(recoveries)
    assert look(recoveries, 12, waiting=None, running=beats) == []
    begin(recoveries, 13, heals_by_heartbeat=True)
    assert look(recoveries, 14, waiting=None) == []
    assert look(recoveries, 15, waiting=None, running=beats) == [2]


def test_a_kill_that_hits_nothing_is_not_counted(recoveries: Recoveries) -> None:
    recoveries.begin("kill", 10, {OTHER: UNDER_WAY[OTHER]}, hits=lambda mark: mark.worker == "one")
    recoveries.look(11, {})
    assert recoveries.done == []


def test_a_look_from_before_says_nothing(recoveries: Recoveries) -> None:
    begin(recoveries)
    recoveries.look(9, {})
    assert recoveries.done == []


def test_the_time_in_which_everybody_was_hindered_does_not_count(recoveries: Recoveries, watch: Watch) -> None:
    begin(recoveries)
    watch.disturb("database", 11)
    watch.calm("database", 14)
    assert look(recoveries, 20, waiting=None, running=None) == [6]
    assert recoveries.done[0].by_the_wall == 10


def test_each_kill_has_its_own_time(recoveries: Recoveries) -> None:
    begin(recoveries, 10)
    begin(recoveries, 12)
    assert look(recoveries, 13, waiting=None, running=None) == [3, 1]


def test_what_is_not_recovered_from_in_the_end_counts_until_then(recoveries: Recoveries) -> None:
    begin(recoveries)
    assert sorted(recoveries.finish(100)) == sorted([WAITING, RUNNING])
    assert [recovery.seconds for recovery in recoveries.done] == [90]


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, 0.0),
        ([4.0], 0.5, 4.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.95, 95.0),
        ([float(n) for n in range(1, 101)], 1, 100.0),
    ],
)
def test_percentiles_are_of_the_nearest_rank(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_the_latest_look_is_kept(recoveries: Recoveries) -> None:
    there: dict[UUID, Mark] = {WAITING: mark()}
    recoveries.look(1, there)
    assert recoveries.latest == there
