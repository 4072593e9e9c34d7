"""What waits in long queues, whose messages are on their way, and what only looks like it."""

from datetime import UTC, datetime, timedelta

import pytest

from reports import waiting
from reports.refusal import refuse
from tests.unit.reports import ledger
from tests.unit.reports.plans import group, task

pytestmark = pytest.mark.django_db

MANY = 100


@pytest.fixture(autouse=True)
def _intervals(settings):
    settings.RECOVERY_REPUBLISH_AFTER = 30.0
    settings.RECOVERY_REPUBLISH_MAX = 200.0
    settings.RECOVERY_LEASE = 30.0


def ago(seconds):
    return datetime.now(UTC) - timedelta(seconds=seconds)


def taken():
    return sorted(ledger.names(waiting.take_due(MANY)))


def put_off(*names, limit=MANY, younger_than=100.0):
    return waiting.put_off_waiting(limit, tasks=names, younger_than=younger_than)


def wait(name, seconds, **changes):
    """Have a task wait for so long, of which it was due again after 30 s."""
    ledger.change(ledger.find(name).id, dispatched_at=ago(seconds), due_at=ago(seconds - 30), **changes)


def test_what_waits_in_a_long_queue_is_put_off():
    ledger.accept(group("a", "b", "c"))
    for name, waited in (("a", 31), ("b", 99), ("c", 101)):
        wait(name, waited)
    assert put_off("a", "b", "c", limit=1) == 1
    assert put_off("a", "b", "c") == 1
    assert taken() == ["c"]


def test_it_is_put_off_again_as_long_as_the_queue_takes():
    ledger.accept("a")
    wait("a", 50)
    assert put_off("a") == 1
    wait("a", 90)
    assert put_off("a") == 1
    wait("a", 110)
    assert put_off("a") == 0
    assert taken() == ["a"]


def test_tasks_of_other_queues_are_not():
    ledger.accept(group("a", task("b", options={"queue": "slow"}), "c"))
    for name in "abc":
        wait(name, 50)
    assert put_off("a", "b") == 1
    assert put_off() == 0
    assert taken() == ["b", "c"]


def test_what_could_not_be_published_is_not_however_long_the_broker_was_away():
    ledger.accept("a")
    wait("a", 70)
    waiting.make_due([ledger.find("a").id], in_seconds=-1.0)
    assert put_off("a") == 0
    assert taken() == ["a"]


def test_what_has_its_time_now_is_not():
    ledger.accept("a")
    ledger.change(ledger.find("a").id, dispatched_at=ago(90), not_before=ago(1), due_at=ago(1))
    assert put_off("a") == 0


def test_what_was_given_back_is_not():
    ledger.accept("a")
    wait("a", 70)
    report = ledger.find("a").id
    refuse(report, task="a")
    ledger.change(report, due_at=ago(1))
    assert put_off("a") == 0
    assert taken() == ["a"]


def test_what_was_published_again_is_not():
    ledger.accept("a")
    wait("a", 70)
    assert taken() == ["a"]
    ledger.change(ledger.find("a").id, due_at=ago(1))
    assert put_off("a") == 0


def test_what_a_broker_has_lost_is_not_however_long_it_has_waited():
    ledger.accept(group("a", "b"))
    for name in "ab":
        ledger.change(ledger.find(name).id, dispatched_at=ago(40), due_at=ago(-20))
    assert waiting.make_lost_due(tasks=["a"], older_than=5.0, limit=MANY) == 1
    assert put_off("a", "b", younger_than=1000) == 0
    assert taken() == ["a"]


def test_what_was_put_off_is_found_where_its_queue_turns_out_to_be_empty():
    ledger.accept("a")
    wait("a", 70)
    assert put_off("a", younger_than=200.0) == 1
    assert taken() == []
    assert waiting.make_lost_due(tasks=["a"], older_than=5.0, limit=MANY) == 1
    assert taken() == ["a"]


def test_how_long_the_last_tasks_have_waited():
    assert waiting.longest_waits() == {}
    ledger.accept(group("a", "b", "c", task("d", options={"priority": 3})))
    for name, waited in (("a", 10), ("b", 50), ("c", 70), ("d", 90)):
        started = ledger.find(name)
        ledger.claim(name)
        ledger.change(started.id, dispatched_at=ago(waited))
    ledger.change(ledger.find("c").id, started_at=ago(40))  # too long ago to tell
    assert waiting.longest_waits() == {"a": pytest.approx(10, abs=1), "b": pytest.approx(50, abs=1)}
