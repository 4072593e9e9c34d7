"""Tasks that say how far they are, and ask whether they are still wanted."""

import time
from typing import Any

from celery import shared_task
from django.db import connection

from reports.errors import AttemptLostError
from tasks.base import BaseTask
from tests.actions import journal

_PATIENCE = 60.0  # seconds


@shared_task(name="progress.proceed", bind=True)
def proceed(self: BaseTask, steps: int, *, key: str) -> int:
    """Report each step, and go on to the next when the journal says so."""
    for step in range(1, steps + 1):
        self.report_progress(step, steps, f"step {step}")
        _await(f"{key} after {step}")
        time.sleep(1.1)  # the next one is not left out
    return steps


@shared_task(name="progress.hurry", bind=True)
def hurry(self: BaseTask, seconds: float) -> dict[str, Any]:
    """Report as often as possible. Returns how often, and how many statements that took."""
    statements: list[str] = []

    def count(execute: Any, sql: str, *rest: Any) -> Any:
        statements.append(sql)
        return execute(sql, *rest)

    begun = time.monotonic()
    calls = 0
    with connection.execute_wrapper(count):
        while time.monotonic() < begun + seconds:
            self.report_progress(calls)
            calls += 1
    return {"calls": calls, "statements": len(statements)}


@shared_task(name="progress.boast", bind=True)
def boast(self: BaseTask) -> None:
    self.report_progress(1, 2, "x" * 5000)


@shared_task(name="progress.proceed_until_lost", bind=True)
def proceed_until_lost(self: BaseTask, *, key: str) -> None:
    journal.write(f"{key} begins")
    try:
        for step in range(int(_PATIENCE)):
            self.report_progress(step)
            time.sleep(1.1)
    except AttemptLostError:
        journal.write(f"{key} stops")
        raise


@shared_task(name="progress.work_while_wanted", bind=True)
def work_while_wanted(self: BaseTask, *, key: str) -> None:
    journal.write(f"{key} begins")
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        self.raise_if_cancelled()
        time.sleep(0.1)


@shared_task(name="progress.work_until_killed", terminate_on_cancel=True)
def work_until_killed(*, key: str) -> None:
    journal.write(f"{key} begins")
    time.sleep(_PATIENCE)


def _await(line: str) -> None:
    until = time.monotonic() + _PATIENCE
    while line not in journal.lines() and time.monotonic() < until:
        time.sleep(0.05)
