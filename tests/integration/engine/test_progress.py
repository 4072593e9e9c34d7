from uuid import UUID, uuid4

import pytest
from django.db.models import F

from reports.models import AsyncActionReport, Status
from services import actions
from tests.actions import journal, outcomes, progress
from tests.integration.engine.engine import Engine


@pytest.fixture
def key() -> str:
    return uuid4().hex


def _task(root: UUID) -> UUID:
    return AsyncActionReport.objects.filter(root_id=root, kind="task").earliest("id").id


def test_progress_is_seen_while_a_task_runs(engine: Engine, key: str) -> None:
    root = engine.request(outcomes.succeed.s(), progress.proceed.si(2, key=key))
    task = AsyncActionReport.objects.get(root_id=root, position=1).id
    for step in (1, 2):
        shown = {"current": step, "total": 2, "message": f"step {step}"}
        engine.wait_until(lambda shown=shown: engine.report(root).progress == shown)
        assert engine.report(task).progress == shown
        assert engine.report(task).status == engine.report(root).status == Status.RUNNING
        journal.write(f"{key} after {step}")
    engine.settle([root])
    assert engine.report(root).result == 2


def test_progress_is_cheap(engine: Engine) -> None:
    root = engine.run(progress.hurry.s(2.5))
    assert root.progress is not None
    # One write at the beginning and one for each second since: of the task's report and of the root's.
    assert root.result["statements"] in (2 * 2, 2 * 3)
    assert root.result["calls"] > 10_000


def test_progress_that_says_too_much_fails_the_task(engine: Engine) -> None:
    root = engine.run(progress.boast.s())
    assert root.error.code == "document_too_large"
    assert "The progress of progress.boast would take 5,0" in root.error.message


def test_a_task_that_lost_its_report_stops_early(engine: Engine, key: str) -> None:
    root = engine.request(progress.proceed_until_lost.s(key=key))
    engine.wait_until(lambda: journal.lines(key) == [" begins"])
    # What happens when another worker has taken over.
    AsyncActionReport.objects.filter(id=_task(root)).update(attempts=F("attempts") + 1)
    engine.wait_until(lambda: journal.lines(key) == [" begins", " stops"])
    assert engine.run(outcomes.succeed.s(n=1)).status == Status.OK
    assert engine.report(_task(root)).status == Status.RUNNING
    actions.cancel(root)
    AsyncActionReport.objects.filter(id=_task(root)).update(status=Status.CANCELLED)


@pytest.mark.parametrize("task", [progress.work_while_wanted, progress.work_until_killed])
def test_a_task_that_is_not_wanted_any_more_ends(engine: Engine, key: str, task) -> None:
    root = engine.request(task.s(key=key), outcomes.succeed.s())
    engine.wait_until(lambda: journal.lines(key) == [" begins"])
    actions.cancel(root)
    engine.settle([root], seconds=20)
    assert engine.report(root).status == Status.CANCELLED
    assert [report.status for report in engine.tasks(root)] == [Status.CANCELLED, Status.CANCELLED]
    assert [error["code"] for error in engine.report(_task(root)).errors] == ["cancelled"]
    assert engine.run(outcomes.succeed.s(n=1)).status == Status.OK
