"""What docs/adding-an-action.md shows a few lines each of, run by a live worker."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from celery.canvas import Signature
from django.conf import settings
from django.utils.timezone import now

from reports.models import FINAL, AsyncActionReport, Status
from services import actions
from stack.process import wait_for
from tests.integration.docs.package import PAGE
from tests.integration.engine.engine import Engine
from tests.live import LiveStack

Backup = Callable[..., Path]
TAPE = [["0123", "tape"]]


def test_the_previous_task_s_result(engine: Engine, tasks: ModuleType, backup: Backup) -> None:
    backup("monday", "letter.txt")
    assert engine.run(*tasks.check_sums_first("monday")).result == ["letter.txt"]


def test_a_group_and_what_follows_it(engine: Engine, tasks: ModuleType, backup: Backup) -> None:
    backup("monday", "letter.txt", "sums.txt")
    backup("tuesday", "letter.txt")
    assert engine.run(*tasks.count_damaged(["monday", "tuesday"])).result == 3
    assert engine.run(*tasks.count_damaged([])).result == 0


def test_a_task_that_returns_signatures(engine: Engine, tasks: ModuleType, backup: Backup) -> None:
    backup("monday", "letter.txt")
    backup("tuesday", "letter.txt")
    root = engine.run(*tasks.check_all())
    assert root.result == "2 damaged files"
    assert (root.tasks_ok, root.tasks_total) == (7, 7)


def test_a_retry_by_celery_s_options(engine: Engine, tasks: ModuleType, backup: Backup) -> None:
    sums = backup("monday") / "SHA256SUMS"
    sums.unlink()
    sums.mkdir()  # cannot be read
    root = engine.request(vars(tasks)["__read_sums_of_share"].si("monday"))
    [task] = engine.tasks(root)
    engine.wait_until(lambda: engine.report(task.id).errors != [])
    sums.rmdir()
    sums.write_text("0123  letter.txt\n")
    engine.settle([root])
    assert engine.report(root).result == [["0123", "letter.txt"]]
    assert engine.report(task.id).errors[0]["type"] == "IsADirectoryError"


def test_a_retry_by_hand(engine: Engine, tasks: ModuleType, backup: Backup) -> None:
    root = engine.request(vars(tasks)["__await_sums"].si("monday"))
    [task] = engine.tasks(root)
    engine.wait_until(lambda: engine.report(task.id).not_before is not None)
    assert engine.report(task.id).not_before - now() == pytest.approx(timedelta(seconds=60), abs=timedelta(seconds=20))
    backup("monday")
    engine.hasten(task.id)
    engine.settle([root])
    assert engine.report(root).status == Status.OK


def test_an_error_with_a_code_of_its_own(live: LiveStack, backup: Backup) -> None:
    [shown] = map(json.loads, PAGE.section("Errors with codes of their own").blocks("json"))
    report: dict[str, Any] = {}
    with live.client() as client:
        accepted = client.post("/actions/check-backup", json={"backup": "tuesday"})
        assert accepted.status_code == 202, accepted.text

        def is_final() -> bool:
            report.update(client.get(accepted.headers["Location"]).json())
            return report["status"] in FINAL

        assert wait_for(is_final, 20), live.worker.log_tail()
        actions_ = {action["name"]: action for action in client.get("/actions").json()["items"]}
        [page] = client.get(f"/errors/{shown['code']}").json()["items"]
    assert (report["status"], report["error"]) == ("failed", shown)
    [declared] = actions_["check-all-backups"]["errors"]
    assert (declared["code"], declared["retryable"]) == (shown["code"], shown["retryable"])
    assert page == {**declared, "actions": ["check-all-backups"]}


def test_time_limits(engine: Engine, tasks: ModuleType, tape: Path) -> None:
    task = vars(tasks)["__find_damaged_in_time"]
    assert (task.soft_time_limit, task.time_limit) == (600, 660)
    root = engine.run(task.s(TAPE, "monday").set(soft_time_limit=1))
    assert (root.status, root.error.code) == (Status.FAILED, "timed_out")


def test_progress_and_being_cancelled(engine: Engine, tasks: ModuleType, tape: Path) -> None:
    find = vars(tasks)["__find_damaged_stepwise"]
    root = engine.request(find.s(TAPE * 2, "monday"))
    with _being_read(tape, engine):
        assert engine.report(root).progress == {"current": 0, "total": 2, "message": "tape"}
        actions.cancel(root)
    engine.settle([root])
    assert engine.tasks(root)[0].status == Status.CANCELLED

    tape.unlink()
    tape.write_text("changed")
    assert engine.run(find.s(TAPE * 2, "monday")).result == ["tape", "tape"]


def test_a_task_that_may_be_killed(engine: Engine, tasks: ModuleType, tape: Path) -> None:
    root = engine.request(vars(tasks)["__find_damaged_killably"].s(TAPE, "monday"))
    with _being_read(tape, engine):
        actions.cancel(root)
        engine.settle([root])
    assert engine.tasks(root)[0].status == Status.CANCELLED


def test_a_task_whose_worker_dies(engine: Engine, tasks: ModuleType, tape: Path) -> None:
    assert f"{settings.RECOVERY_MAX_LOSSES} workers (`RECOVERY_MAX_LOSSES`)" in PAGE.section("When a worker dies").text

    lost = _killed(engine, vars(tasks)["__find_damaged"].s(TAPE, "monday"), tape)
    engine.settle([lost])
    assert (engine.report(lost).status, engine.report(lost).error.code) == (Status.FAILED, "worker_lost")

    again = _killed(engine, vars(tasks)["__find_damaged_surely"].s(TAPE, "monday"), tape)
    with _being_read(tape, engine):
        pass
    engine.settle([again])
    assert (engine.report(again).status, engine.report(again).result) == (Status.OK, ["tape"])


@pytest.mark.once
def test_the_limits() -> None:
    for name, default, _ in PAGE.section("Limits").rows():
        assert f"{getattr(settings, name.strip('`')):,}" == default, name


@pytest.fixture
def tape(backup: Backup) -> Path:
    """A backup's file whose reading takes as long as the test wants."""
    file = backup("monday") / "tape"
    os.mkfifo(file)
    return file


@contextmanager
def _being_read(tape: Path, engine: Engine) -> Iterator[None]:
    """Wait until a task reads the tape, and keep it reading."""
    opened: list[int] = []

    def is_read() -> bool:
        with suppress(OSError):  # nobody reads it yet
            opened.append(os.open(tape, os.O_WRONLY | os.O_NONBLOCK))
        return bool(opened)

    engine.wait_until(is_read)
    try:
        yield
    finally:
        os.close(opened[0])


def _killed(engine: Engine, task: Signature, tape: Path) -> UUID:
    """Have a task run, and kill the process that runs it."""
    root = engine.request(task)
    with _being_read(tape, engine):
        # A report's worker is called worker@host#incarnation:process-thread.
        worker = AsyncActionReport.objects.values_list("worker", flat=True).get(root_id=root, kind="task")
        os.kill(int(worker.rpartition(":")[2].partition("-")[0]), signal.SIGKILL)
        engine.wait_until(lambda: engine.tasks(root)[0].errors != [])
    return root
