import pytest

from reports import waiting
from services import queues
from services.backpressure import Backpressure

FAST, SLOW = "fast", "slow"


@pytest.fixture(autouse=True)
def _intervals(settings):
    settings.RECOVERY_REPUBLISH_AFTER = 30.0
    settings.RECOVERY_REPUBLISH_MAX = 3600.0


@pytest.fixture
def waits(monkeypatch):
    """How long the tasks ``reports.fast`` and ``reports.slow`` have waited, of a queue each."""
    waits = {}
    monkeypatch.setattr(waiting, "longest_waits", lambda: {f"reports.{name}": waits[name] for name in waits})
    monkeypatch.setattr(queues, "name_for", lambda task: task.partition(".")[2])
    monkeypatch.setattr(queues, "tasks_by_queue", lambda: {name: [f"reports.{name}"] for name in (FAST, SLOW)})
    return waits


@pytest.fixture
def put_off(monkeypatch):
    """What was put off: for each time the task, and younger than how many seconds."""
    put_off = []

    def note(limit, *, tasks, younger_than):
        put_off.append((*tasks, younger_than))
        return limit if len(put_off) == 1 else 0

    monkeypatch.setattr(waiting, "put_off_waiting", note)
    return put_off


def looked(backpressure, *, empty=()):
    backpressure.look(empty=empty)
    return backpressure


def test_what_waits_in_a_long_queue_waits_on_for_as_long_again(waits, put_off):
    waits |= {FAST: 1.0, SLOW: 100.0}
    backpressure = looked(Backpressure())

    assert backpressure.put_off()  # a whole batch: there may be more
    assert not backpressure.put_off()

    assert put_off == [("reports.slow", 200.0)] * 2


def test_one_queue_s_length_is_no_other_s(waits, put_off):
    waits |= {SLOW: 100.0}
    looked(Backpressure()).put_off()
    assert [tasks for tasks, _ in put_off] == ["reports.slow"]


def test_nothing_is_put_off_where_queues_are_short(waits, put_off):
    waits |= {FAST: 15.0, SLOW: 0.0}
    assert not looked(Backpressure()).put_off()
    assert put_off == []


def test_an_empty_queue_has_nothing_to_wait_for(waits, put_off):
    waits |= {SLOW: 100.0}
    backpressure = looked(Backpressure())
    assert not looked(backpressure, empty=[SLOW]).put_off()
    assert put_off == []


def test_it_is_remembered_for_a_while_where_no_task_begins(waits, put_off):
    waits |= {SLOW: 100.0}
    backpressure = looked(Backpressure())
    waits.clear()
    looked(backpressure).put_off()
    assert put_off == [("reports.slow", 180.0)]
    for _ in range(20):
        looked(backpressure)
    assert not backpressure.put_off()


def test_nothing_waits_longer_than_the_longest_interval(waits, put_off):
    waits |= {SLOW: 100_000.0}
    looked(Backpressure()).put_off()
    assert put_off == [("reports.slow", 3600.0)]
