from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from reports import execution, intervention, waiting
from reports.handover import Dispatch
from reports.models import AsyncActionReport
from reports.requests import Timing
from reports.waiting import Stale
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain, group, task

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects
MANY = 100


@pytest.fixture(autouse=True)
def _intervals(settings):
    settings.RECOVERY_REPUBLISH_AFTER = 30.0
    settings.RECOVERY_REPUBLISH_MAX = 200.0
    settings.RECOVERY_LEASE = 30.0


def ago(seconds):
    return datetime.now(UTC) - timedelta(seconds=seconds)


def in_seconds(moment):
    return round((moment - datetime.now(UTC)).total_seconds())


def taken(limit=MANY):
    return ledger.names(waiting.take_due(limit))


def make_past(*names, seconds=1):
    for name in names:
        ledger.change(ledger.find(name).id, due_at=ago(seconds))


# What is due


def test_what_has_just_been_dispatched_is_not_due():
    ledger.accept("a")
    assert taken() == []
    assert in_seconds(ledger.find("a").due_at) == 30


def test_what_nobody_has_claimed_for_long_is_due():
    ledger.accept(group(task("a", options={"queue": "slow"}), "b"), "c")
    make_past("a", "b")
    assert sorted(waiting.take_due(MANY), key=lambda dispatch: dispatch.task) == [
        Dispatch(ledger.find("a").id, "a", {"queue": "slow"}),
        Dispatch(ledger.find("b").id, "b", {}),
    ]


def test_what_has_been_taken_is_due_again_after_intervals_that_grow():
    ledger.accept("a")
    intervals = []
    for _ in range(6):
        make_past("a")
        assert taken() == ["a"]
        intervals.append(in_seconds(ledger.find("a").due_at))
        assert taken() == []
    assert intervals == [30, 60, 120, 200, 200, 200]
    assert ledger.find("a").publications == 6


def test_the_intervals_do_not_grow_where_they_may_not(settings):
    settings.RECOVERY_REPUBLISH_MAX = 10.0
    ledger.accept("a")
    make_past("a")
    assert taken() == ["a"]
    assert in_seconds(ledger.find("a").due_at) == 10


def test_what_has_waited_longest_is_taken_first():
    ledger.accept(group("a", "b", "c"))
    make_past("a", seconds=10)
    make_past("b", seconds=30)
    make_past("c", seconds=20)
    assert [taken(1), taken(1), taken(1), taken(1)] == [["b"], ["c"], ["a"], []]


@pytest.mark.parametrize("end", ["claim", "succeed", "fail", "cancel"])
def test_what_is_claimed_or_final_is_not_due(end):
    root = ledger.accept("a")
    make_past("a")
    if end == "cancel":
        intervention.cancel(root)
    else:
        getattr(ledger, end)("a")
    assert taken() == []


def test_a_retry_is_due_when_its_delay_has_passed():
    ledger.accept("a")
    ledger.put_off("a", delay=100.0)
    assert (taken(), in_seconds(ledger.find("a").due_at)) == ([], 100)
    make_past("a")
    assert taken() == ["a"]


def test_what_could_not_be_published_is_due_soon():
    ledger.accept(group("a", "b", "c"))
    waiting.make_due([ledger.find(name).id for name in "ab"], in_seconds=2.0)
    assert [in_seconds(ledger.find(name).due_at) for name in "abc"] == [2, 2, 30]


def test_only_what_is_pending_is_made_due():
    ledger.accept(group("a", "b"), "c")
    ledger.claim("a")
    ledger.succeed("b")
    before = ledger.snapshot()
    waiting.make_due([ledger.find("a").id, ledger.find("b").id, uuid4()], in_seconds=2.0)
    waiting.make_due([], in_seconds=2.0)
    assert ledger.snapshot() == before


# What a broker has lost


def lost(*names, older_than=5.0, limit=MANY):
    return waiting.make_lost_due(tasks=names, older_than=older_than, limit=limit)


def test_what_an_empty_queue_should_have_held_is_due_at_once():
    ledger.accept(group("a", "b"), "c")
    for name in "ab":
        ledger.change(ledger.find(name).id, dispatched_at=ago(6))
    assert lost("a", "c") == 1
    assert taken() == ["a"]


def test_what_may_be_on_its_way_is_not_lost():
    ledger.accept(group("a", "b"))
    ledger.change(ledger.find("b").id, dispatched_at=ago(4))
    assert lost("a", "b") == 0


def test_what_waits_for_a_retry_or_has_just_had_its_delay_is_not_lost():
    ledger.accept(group("a", "b"))
    for name, delay in (("a", 100.0), ("b", 0.0)):
        ledger.put_off(name, delay=delay)
        ledger.change(ledger.find(name).id, dispatched_at=ago(100), due_at=ago(-100))
    assert lost("a", "b") == 0
    ledger.change(ledger.find("b").id, not_before=ago(6))
    assert lost("a", "b") == 1


def test_what_was_published_with_options_may_be_in_another_queue():
    ledger.accept(task("a", options={"queue": "slow"}))
    ledger.change(ledger.find("a").id, dispatched_at=ago(6))
    assert lost("a") == 0


def test_so_many_are_made_due_and_no_more():
    ledger.accept(group("a", "b", "c"))
    ALL.filter(task__in="abc").update(dispatched_at=ago(6))
    assert [lost("a", "b", "c", limit=2), lost("a", "b", "c"), lost("a", "b", "c"), lost()] == [2, 1, 0, 0]


# Heartbeats


def beating(*names, worker):
    """Let every heartbeat be old, beat, and return whose is not any more, and what ``beat`` said."""
    ALL.filter(task__in="abc").update(heartbeat_at=ago(100))
    ended = waiting.beat([ledger.find(name).id for name in names], worker=worker)
    fresh = ALL.filter(heartbeat_at__gt=ago(60)).values_list("task", flat=True)
    return sorted(fresh), [ALL.get(id=id_).task for id_ in ended]


def test_a_worker_stamps_what_it_executes_and_nothing_else():
    ledger.accept(group("a", "b", "c"))
    ledger.claim("a", worker="w1")
    ledger.claim("b", worker="w2")
    assert beating("a", "b", "c", worker="w1") == (["a"], [])
    assert beating("b", "c", worker="w1") == ([], [])


def test_all_parts_of_a_worker_beat_as_one():
    ledger.accept(group("a", "b", "c"))
    ledger.claim("a", worker="w1#1/child-1")
    ledger.claim("b", worker="w1#1/child-2")
    ledger.claim("c", worker="w1#2/child-1")
    assert beating("a", "b", "c", worker="w1#1") == (["a", "b"], [])


def test_what_is_finished_does_not_beat():
    ledger.accept(group("a", "b", "c"))
    ledger.claim("a", worker="w1")
    for name, end in (("b", ledger.succeed), ("c", ledger.put_off)):
        end(name)
    assert beating("a", "b", "c", worker="w") == (["a"], [])


def test_what_grew_does_not_beat():
    ledger.accept(group("a", "b"))
    ledger.expand("a", "x")
    assert beating("a", "b", worker="w") == ([], [])


def test_a_worker_learns_which_actions_have_ended():
    root = ledger.accept(group("a", "b"))
    ledger.accept("c")
    for name in "abc":
        ledger.claim(name, worker="w1")
    intervention.cancel(root)
    assert beating("a", "c", worker="w1") == (["a", "c"], ["a"])


def test_a_worker_that_executes_nothing_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert waiting.beat([], worker="w1") == []


# What is stuck


def test_a_task_is_stale_after_a_lease_without_a_heartbeat():
    ledger.accept(group("a", "b"))
    claim = ledger.claim("a", worker="w1")
    ledger.claim("b", worker="w2")
    assert waiting.take_stale(MANY) == []
    ledger.change(claim.id, heartbeat_at=ago(29))
    assert waiting.take_stale(MANY) == []
    ledger.change(claim.id, heartbeat_at=ago(31))
    assert waiting.take_stale(MANY) == [Stale(claim.id, "a", 1, 0, "w1")]
    assert waiting.take_stale(MANY) == []


def test_the_longest_unheard_of_come_first():
    ledger.accept(group("a", "b", "c"))
    for name, seconds in zip("abc", (40, 60, 50), strict=True):
        ledger.claim(name)
        ledger.change(ledger.find(name).id, heartbeat_at=ago(seconds))
    batches = [[stale.task for stale in waiting.take_stale(1)] for _ in range(4)]
    assert batches == [["b"], ["c"], ["a"], []]


def test_what_does_not_run_is_not_stale():
    ledger.accept(group("a", "b", "c"))
    ledger.succeed("a")
    ledger.put_off("b", lost=True)
    ledger.expand("c", chain("x"))
    ALL.update(heartbeat_at=ago(1000))
    assert waiting.take_stale(MANY) == []


def test_a_stale_attempt_says_how_often_its_workers_were_lost():
    ledger.accept("a")
    ledger.put_off("a", lost=True)
    ledger.put_off("a")
    claim = ledger.claim("a", worker="w3")
    ledger.change(claim.id, heartbeat_at=ago(31))
    assert waiting.take_stale(MANY) == [Stale(claim.id, "a", 3, 1, "w3")]


def test_a_worker_finds_the_attempt_it_has_lost():
    ledger.accept(group("a", "b"))
    claim = ledger.claim("a", worker="w1#1/child-1")
    assert waiting.find_lost(claim.id, worker="w1#1") == Stale(claim.id, "a", 1, 0, "w1#1/child-1")
    assert waiting.find_lost(claim.id, worker="w1#1/child-1") is not None
    assert waiting.find_lost(claim.id, worker="w2") is None
    assert waiting.find_lost(ledger.find("b").id, worker="w1") is None
    execution.expand(claim, chain("x"))
    assert waiting.find_lost(claim.id, worker="w1") is None


# What takes too long


def test_actions_whose_deadline_has_passed():
    deadline = datetime.now(UTC) + timedelta(seconds=100)
    roots = [ledger.accept("a", timing=Timing(expires_at=deadline)) for _ in range(3)]
    ledger.accept("a")
    assert waiting.find_overdue(MANY) == []
    for seconds, root in zip((20, 30, 10), roots, strict=True):
        ledger.change(root, deadline_at=ago(seconds))
    assert waiting.find_overdue(MANY) == [roots[1], roots[0], roots[2]]
    assert waiting.find_overdue(1) == [roots[1]]
    intervention.cancel(roots[1])
    assert waiting.find_overdue(MANY) == [roots[0], roots[2]]
