import pytest
from celery import group

from reports.failure import UNEXPECTED
from reports.models import AsyncActionReport, Status
from reports.selectors import Report
from tests.actions import outcomes
from tests.integration.engine.engine import Engine


def _failed(engine: Engine, *signatures) -> tuple[Report, Report]:
    """Run an action that fails in its first task. Returns the root's report and the task's."""
    root = engine.run(*signatures)
    task = engine.tasks(root.id)[0]
    assert (root.status, task.status) == (Status.FAILED, Status.FAILED)
    assert root.error is not None
    assert root.error == task.error
    assert root.traceback == task.traceback
    return root, task


@pytest.mark.parametrize(
    ("what", "code", "type_", "message"),
    [
        ("plain", "task_failed", "ValueError", "This is wrong."),
        ("coded", "order_refused", "OrderRefusedError", "Order 7 was refused: sold out."),
        ("unpicklable", "door_locked", "DoorLockedError", "The door is locked."),
        ("unpicklable class", "nowhere", "NowhereError", "I am of no module."),
        ("without message", "task_failed", "KeyError", "KeyError"),
        ("blank", "task_failed", "ValueError", "ValueError:"),
        ("mute", "task_failed", "MuteError", "MuteError: <exception str() failed>"),
        ("nul", "task_failed", "ValueError", "zerozero"),
        ("lone surrogate", "task_failed", "ValueError", "half ? character"),
        ("code number", "task_failed", "LocalError", "This code is not a name."),
        ("code empty", "task_failed", "LocalError", "This code is not a name."),
        ("code long", "c" * 99 + "…", "LocalError", "This code is not a name."),
        ("group", "task_failed", "ExceptionGroup", "Two at once. (2 sub-exceptions)"),
        ("stop iteration", "task_failed", "StopIteration", "StopIteration"),
    ],
)
def test_a_task_that_raises_is_recorded_with_its_error(
    engine: Engine, what: str, code: str, type_: str, message: str
) -> None:
    root, task = _failed(engine, outcomes.raise_error.s(what))
    shown = UNEXPECTED if code == "task_failed" else message
    assert (root.error.code, root.error.type, root.error.message) == (code, type_, shown)
    assert message in root.traceback
    assert root.error.task == "outcomes.raise_error"
    assert "Traceback (most recent call last):" in root.traceback
    assert "raise _error(what)" in root.traceback
    assert type_ in root.traceback
    [attempt] = task.errors
    assert (attempt["attempt"], attempt["code"], attempt["type"], attempt["message"]) == (1, code, type_, shown)
    assert attempt["started_at"] <= attempt["failed_at"]


def test_a_message_too_long_is_cut(engine: Engine) -> None:
    root, task = _failed(engine, outcomes.raise_error.s("long with code"))
    assert root.error.message == f"Order 7 was refused: {'long ' * 400}"[:1_999] + "…"
    assert len(task.errors[0]["message"]) == 2_000
    assert len(root.traceback) == 20_000


def test_a_traceback_too_long_keeps_its_end(engine: Engine) -> None:
    root, _ = _failed(engine, outcomes.raise_deep.s(300))
    assert len(root.traceback) == 20_000
    assert root.traceback.startswith("…")
    assert root.traceback.rstrip().endswith("ValueError: This deep.")


@pytest.mark.parametrize(
    ("what", "code", "type_", "words"),
    [
        ("object", "document_invalid", "DocumentInvalidError", "The result of outcomes.give cannot be written as JSON"),
        ("set", "document_invalid", "DocumentInvalidError", "Type is not JSON serializable: set"),
        ("bytes", "document_invalid", "DocumentInvalidError", "Type is not JSON serializable: bytes"),
        ("nan", "document_invalid", "DocumentInvalidError", "must not hold NaN or an infinity"),
        ("nul", "document_invalid", "DocumentInvalidError", "must not hold the character U+0000"),
        ("nested too deep", "document_invalid", "DocumentInvalidError", "cannot be written as JSON"),
        ("lone surrogate", "document_invalid", "DocumentInvalidError", "cannot be written as JSON"),
        ("integer too large", "document_invalid", "DocumentInvalidError", "cannot be written as JSON"),
        (
            "large",
            "document_too_large",
            "DocumentTooLargeError",
            "would take 1,048,578 bytes as JSON; at most 1,048,576",
        ),
        ("signature and value", "plan_invalid", "PlanInvalidError", "made of signatures, not of a value of type int"),
        ("value and signature", "document_invalid", "DocumentInvalidError", "cannot be written as JSON"),
        ("unknown task", "plan_invalid", "PlanInvalidError", "There is no task nobody.knows"),
        ("linked", "plan_invalid", "PlanInvalidError", "Callbacks through link_error on outcomes.succeed"),
        ("misfit", "plan_invalid", "PlanInvalidError", "outcomes.raise_error cannot be called like this"),
    ],
)
def test_a_result_that_cannot_be_kept_fails_the_task(
    engine: Engine, what: str, code: str, type_: str, words: str
) -> None:
    root, task = _failed(engine, outcomes.give.s(what), outcomes.succeed.s())
    assert (root.error.code, root.error.type) == (code, type_)
    assert words in root.error.message
    assert task.result is None
    assert [report.status for report in engine.tasks(root.id)] == [Status.FAILED, Status.CANCELLED]
    assert root.tasks_ok == 0


@pytest.mark.parametrize(("what", "name"), [("ignore", "Ignore"), ("reject", "Reject")])
def test_a_task_may_not_leave_its_report_unfinished(engine: Engine, what: str, name: str) -> None:
    root, _ = _failed(engine, outcomes.raise_error.s(what))
    assert (root.error.type, root.error.code) == ("TaskMisusedError", "task_misused")
    assert root.error.message == f"outcomes.raise_error raised {name}: a task returns, retries or raises."


@pytest.mark.parametrize("how", ["delay", "apply_async", "signature", "chain", "group"])
def test_a_task_that_dispatches_another_is_told_what_to_do_instead(engine: Engine, how: str) -> None:
    root, _ = _failed(engine, outcomes.dispatch.s(how))
    assert root.error.code == "task_not_dispatchable"
    assert "outcomes.succeed is not started by .delay()" in root.error.message
    assert "return outcomes.succeed.s(...) from the task that needs it" in root.error.message


def test_a_task_that_replaces_itself_is_told_what_to_do_instead(engine: Engine) -> None:
    root, _ = _failed(engine, outcomes.replace.s())
    assert root.error.code == "task_not_dispatchable"
    assert "return outcomes.succeed.s(...) from the task that needs it" in root.error.message


def test_a_task_called_by_another_just_runs(engine: Engine) -> None:
    root = engine.run(outcomes.call.s())
    assert root.result == [{"called": "as a function"}]
    assert root.tasks_total == 1


def test_a_failure_cancels_what_waits_and_leaves_what_is_done(engine: Engine) -> None:
    root = engine.run(
        outcomes.succeed.s(n=1),
        group([outcomes.raise_error.si("coded"), outcomes.succeed.si(n=2), outcomes.succeed.si(n=3)]),
        outcomes.succeed.s(n=4),
        group([]),
    )
    assert root.error.code == "order_refused"
    first, failed, second, third, last = engine.tasks(root.id)
    assert [first.status, failed.status, last.status] == [Status.OK, Status.FAILED, Status.CANCELLED]
    assert root.tasks_ok == sum(task.status == Status.OK for task in (first, second, third))
    assert last.attempts == 0
    statuses = AsyncActionReport.objects.filter(root_id=root.id, kind="group").order_by("id")
    assert list(statuses.values_list("status", "error_code")) == [("failed", "order_refused"), ("cancelled", "")]
    assert root.finished_at is not None


def test_a_worker_goes_on_after_errors_that_cannot_be_pickled(engine: Engine) -> None:
    worker = engine.worker.pid
    for what in ("unpicklable", "unpicklable class", "mute", "coded"):
        engine.run(outcomes.raise_error.s(what))
    assert engine.run(outcomes.succeed.s(n=1)).result == [{"n": 1}]
    assert engine.worker.pid == worker
