import os
from uuid import UUID, uuid4

import psutil
import pytest
from celery import group

from reports.models import AsyncActionReport, Status
from tests.actions import journal, limits, outcomes
from tests.integration.engine.engine import Engine

# Seconds. Far less than the lease of the tests' worker: nothing here waits until a worker is thought to be lost.
_SOON = 20


@pytest.fixture
def key() -> str:
    return uuid4().hex


def _assert_goes_on(engine: Engine) -> None:
    """See that both children of the worker's pool are there."""
    assert engine.run(group([outcomes.succeed.s(n=n) for n in range(8)])).status == Status.OK
    engine.wait_until(lambda: len(psutil.Process(engine.worker.pid).children()) == 2)


@pytest.mark.parametrize(
    ("signature", "type_", "words"),
    [
        (limits.sleep_softly.s, "SoftTimeLimitExceeded", "its time limit."),
        (lambda key: limits.sleep.s(key=key).set(soft_time_limit=1), "SoftTimeLimitExceeded", "its time limit."),
        (limits.sleep_hard.s, "TimeLimitExceeded", "its time limit of 1 s."),
        (lambda key: limits.sleep.s(key=key).set(time_limit=1), "TimeLimitExceeded", "its time limit of 1 s."),
        (limits.sleep_deaf.s, "TimeLimitExceeded", "its time limit of 2 s."),
    ],
    ids=["soft", "soft, of a signature", "hard", "hard, of a signature", "hard after soft"],
)
def test_a_task_that_takes_too_long_has_timed_out(engine: Engine, key: str, signature, type_: str, words: str) -> None:
    root = engine.run(signature(key), outcomes.succeed.s(), seconds=_SOON)
    assert root.status == Status.FAILED
    assert (root.error.code, root.error.type) == ("timed_out", type_)
    assert root.error.message == f"{root.error.task} ran longer than {words}"
    task, last = engine.tasks(root.id)
    assert [error["code"] for error in task.errors] == ["timed_out"]
    assert (task.attempts, last.status) == (1, Status.CANCELLED)
    _assert_goes_on(engine)
    assert set(journal.lines(key)) == {" begins"}


def test_a_task_that_is_told_in_time_ends_as_it_likes(engine: Engine, key: str) -> None:
    assert engine.run(limits.sleep_until_told.s(key), seconds=_SOON).result == "was told"


def test_a_soft_limit_may_be_a_reason_to_try_again(engine: Engine, key: str) -> None:
    root = engine.run(limits.sleep_once.s(key), seconds=_SOON)
    assert root.result == 1
    assert [error["code"] for error in engine.tasks(root.id)[0].errors] == ["timed_out"]


@pytest.mark.parametrize(
    "how", ["killed", "terminated", "crashed", "exit 0", "exit 1", "sys.exit()", "sys.exit(3)", "interrupted"]
)
def test_a_task_whose_process_is_gone_has_failed(engine: Engine, key: str, how: str) -> None:
    root = engine.run(limits.die.s(how, key=key), outcomes.succeed.s(), seconds=_SOON)
    assert root.status == Status.FAILED
    assert (root.error.code, root.error.task) == ("worker_lost", "limits.die")
    assert "was lost while it ran limits.die; whether its work was done is not known" in root.error.message
    task, last = engine.tasks(root.id)
    assert [error["code"] for error in task.errors] == ["worker_lost"]
    assert (task.attempts, last.status) == (1, Status.CANCELLED)
    _assert_goes_on(engine)
    assert journal.lines(key) == [" dies"]


def test_an_exception_that_is_no_error_fails_the_task(engine: Engine, key: str) -> None:
    root = engine.run(limits.die.s("generator exit", key=key), seconds=_SOON)
    assert root.status == Status.FAILED
    assert root.error.message


def test_a_task_that_may_runs_again_when_its_process_is_gone(engine: Engine, key: str) -> None:
    root = engine.run(limits.die_sometimes.s(2, key=key), seconds=_SOON)
    assert root.result == {"retries": 0}
    [task] = engine.tasks(root.id)
    assert [(error["attempt"], error["code"]) for error in task.errors] == [(1, "worker_lost"), (2, "worker_lost")]
    assert journal.lines(key) == [" dies", " dies", " lives"]


def test_a_task_that_kills_whatever_runs_it_is_given_up(engine: Engine, key: str) -> None:
    # Each of the losses is noticed at once.
    root = engine.run(limits.die_sometimes.s(99, key=key), seconds=10)
    assert root.error.code == "worker_lost"
    assert journal.lines(key) == [" dies"] * 4
    assert AsyncActionReport.objects.get(root_id=root.id, kind="task").losses == 3
    _assert_goes_on(engine)


def test_a_process_that_is_gone_takes_nothing_else_with_it(engine: Engine, key: str) -> None:
    sleeper = engine.request(limits.sleep.s(2, key=key))
    engine.wait_until(lambda: journal.lines(key) == [" begins"])
    assert engine.run(limits.die.s("killed", key=uuid4().hex), seconds=_SOON).error.code == "worker_lost"
    engine.settle([sleeper])
    assert engine.report(sleeper).result == key
    assert _attempts(sleeper) == 1


def test_a_process_that_is_killed_from_outside_is_noticed(engine: Engine, key: str) -> None:
    root = engine.request(limits.sleep.s(key=key))
    engine.wait_until(lambda: journal.lines(key) == [" begins"])
    # A report's worker is called worker@host#incarnation:process-thread.
    claimant = AsyncActionReport.objects.values_list("worker", flat=True).get(root_id=root, kind="task")
    os.kill(int(claimant.rpartition(":")[2].partition("-")[0]), 9)
    engine.settle([root], seconds=_SOON)
    assert engine.report(root).error.code == "worker_lost"
    _assert_goes_on(engine)


def _attempts(root: UUID) -> int:
    return AsyncActionReport.objects.values_list("attempts", flat=True).get(root_id=root, kind="task")
