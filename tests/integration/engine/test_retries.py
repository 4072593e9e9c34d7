from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from celery import group
from django.utils.timezone import now

from reports.models import AsyncActionReport, Status
from reports.selectors import Report
from tests.actions import journal, outcomes, retries
from tests.integration.engine.engine import Engine


@pytest.fixture
def key() -> str:
    return uuid4().hex


def _waiting(engine: Engine, root: UUID, *, attempts: int = 1) -> Report:
    """Wait until an action's only task has been tried so many times and waits to be tried again."""
    task = AsyncActionReport.objects.get(root_id=root, kind="task")
    engine.wait_until(
        lambda: engine.report(task.id).attempts == attempts and engine.report(task.id).status != Status.RUNNING
    )
    report = engine.report(task.id)
    assert (report.status, report.attempts) == (Status.PENDING, attempts)
    return report


def _delay(report: Report) -> float:
    """Return the seconds for which a report waits, from its last failure on."""
    assert report.not_before is not None
    return (report.not_before - datetime.fromisoformat(report.errors[-1]["failed_at"])).total_seconds()


def test_what_fails_is_tried_again_until_it_works(engine: Engine, key: str) -> None:
    root = engine.run(retries.call.s(busy=2, key=key))
    assert root.result == {"retries": 2, "args": [], "kwargs": {"busy": 2, "key": key}}
    assert journal.lines(key) == [" 0", " 1", " 2"]
    [task] = engine.tasks(root.id)
    assert (task.attempts, task.error, root.error) == (3, None, None)
    assert [(error["attempt"], error["code"], error["message"]) for error in task.errors] == [
        (1, "line_busy", "Busy at try 0."),
        (2, "line_busy", "Busy at try 1."),
    ]
    assert all("raise LineBusyError" in error["traceback"] for error in task.errors)
    moments = [moment for error in task.errors for moment in (error["started_at"], error["failed_at"])]
    assert moments == sorted(moments)


def test_what_fails_too_often_has_its_own_error(engine: Engine, key: str) -> None:
    root = engine.run(retries.call.s(busy=99, key=key), outcomes.succeed.s())
    assert root.status == Status.FAILED
    assert (root.error.code, root.error.type, root.error.message) == ("line_busy", "LineBusyError", "Busy at try 3.")
    assert journal.lines(key) == [" 0", " 1", " 2", " 3"]
    [task, _] = engine.tasks(root.id)
    assert [error["attempt"] for error in task.errors] == [1, 2, 3, 4]


def test_what_is_excepted_is_not_tried_again(engine: Engine) -> None:
    root = engine.run(retries.call_dead_line.s())
    assert (root.error.code, engine.tasks(root.id)[0].attempts) == ("line_cut", 1)


@pytest.mark.parametrize(
    ("task", "code", "type_"),
    [(retries.open_door, "door_locked", "DoorLockedError"), (retries.order, "order_refused", "OrderRefusedError")],
)
def test_every_attempt_keeps_the_error_that_was_raised(engine: Engine, task, code: str, type_: str) -> None:
    root = engine.run(task.s())
    assert (root.error.code, root.error.type) == (code, type_)
    errors = engine.tasks(root.id)[0].errors
    assert [(error["attempt"], error["code"], error["type"]) for error in errors] == [
        (1, code, type_),
        (2, code, type_),
    ]


def test_only_the_last_errors_are_kept(engine: Engine) -> None:
    root = engine.run(retries.insist.s(8))
    assert root.result == 8
    assert [error["attempt"] for error in engine.tasks(root.id)[0].errors] == [4, 5, 6, 7, 8]


def test_delays_grow_up_to_their_limit(engine: Engine) -> None:
    root = engine.request(retries.call_later.s())
    delays = []
    for attempts in range(1, 5):
        waiting = _waiting(engine, root, attempts=attempts)
        delays.append(_delay(waiting))
        engine.hasten(waiting.id)
    assert delays == pytest.approx([100, 200, 300, 300], abs=20)
    _waiting(engine, root, attempts=5)


def test_delays_differ_where_they_should(engine: Engine) -> None:
    roots = [engine.request(retries.call_sometime.s()) for _ in range(10)]
    delays = [_delay(_waiting(engine, root)) for root in roots]
    assert all(-1 <= delay <= 101 for delay in delays)
    assert max(delays) - min(delays) > 1


@pytest.mark.parametrize(
    ("how", "delay"),
    [
        ("countdown", 500),
        ("eta", 700),
        ("naive eta", 700),
        ("default", 180),
        ("without error", 500),
        ("not thrown", 500),
        ("by hand", 500),
    ],
)
def test_a_task_has_itself_tried_again(engine: Engine, how: str, delay: int) -> None:
    root = engine.request(retries.retry.s(how))
    waiting = _waiting(engine, root)
    assert _delay(waiting) == pytest.approx(delay, abs=20)
    assert [(error["attempt"], error["code"], error["type"]) for error in waiting.errors] == [
        (1, "line_busy", "LineBusyError")
    ]
    engine.hasten(waiting.id)
    engine.settle([root])
    assert engine.report(root).result == 1


@pytest.mark.parametrize(
    ("how", "type_", "words"),
    [
        ("no more", "LineBusyError", "Busy."),
        ("too often", "LineBusyError", "Busy."),
        ("no more, without error", "MaxRetriesExceededError", "retries.retry was retried 0 times."),
        ("changed arguments", "TaskMisusedError", "they cannot be changed"),
        ("changed options", "TaskMisusedError", "they cannot be changed"),
    ],
)
def test_a_task_that_may_not_be_tried_again_fails(engine: Engine, how: str, type_: str, words: str) -> None:
    root = engine.run(retries.retry.s(how))
    assert root.error.type == type_
    assert words in root.error.message


def test_a_delay_is_waited_for_in_the_database_alone(engine: Engine, key: str) -> None:
    root = engine.request(group([retries.call_later.s(busy=1, key=key)] * 5))
    waiting = AsyncActionReport.objects.filter(root_id=root, kind="task", attempts=1, status=Status.PENDING)
    engine.wait_until(lambda: waiting.count() == 5)
    assert engine.messages() == []
    assert waiting.filter(not_before__gt=now() + timedelta(seconds=50)).count() == 5


def test_a_worker_that_is_started_again_changes_nothing_for_what_waits(engine: Engine, key: str) -> None:
    root = engine.request(retries.call_later.s(busy=1, key=key))
    before = _waiting(engine, root)
    engine.worker.kill()
    engine.worker.start()
    assert engine.run(outcomes.succeed.s(n=1)).status == Status.OK
    assert engine.report(before.id) == before
    engine.hasten(before.id)
    engine.settle([root])
    assert engine.report(root).result == 1
    assert journal.lines(key) == [" 0", " 1"]


@pytest.mark.idle
def test_a_delay_is_waited_out(engine: Engine, key: str) -> None:
    root = engine.request(retries.call.s(busy=0, key=key))
    moment = now() + timedelta(seconds=2)
    AsyncActionReport.objects.filter(root_id=root, kind="task").update(not_before=moment, due_at=moment)
    engine.worker.start()
    engine.settle([root])
    assert engine.tasks(root)[0].started_at >= moment
    assert journal.lines(key) == [" 0"]
