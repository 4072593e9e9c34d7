"""Running actions in a test: through the real ledger, in this process, without a broker and without waiting.

What the service does in many processes happens here one thing at a time, in an order that a test can repeat: tasks are
run by Celery's own tracer, as in a worker's child; outcomes, hand-overs, retries and rescues are the ledger's own.
Left out are messages (whose turn it is, is read from the database), time limits, and side-by-side execution.

This package stands above ``api``, beside ``config``: it takes an action's class as clients' requests do, and nothing of
the service imports it.

    run = run_action(CheckBackupApi, {"backup": "monday"})
    assert run.expect_ok() == ["sums.txt"]

A test needs the database: ``pytest.mark.django_db``. Progress, and what services put off by ``transaction.on_commit``,
happens with ``django_db(transaction=True)`` only, as everywhere in Django.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID

from celery import current_app
from celery.canvas import Signature
from django.db.models import F, Q, QuerySet

from api.actions import ActionApi
from api.submission import Submission
from reports import execution, selectors, waiting
from reports.acceptance import Accepted
from reports.models import AsyncActionReport, Kind, Status
from services import actions, recovery
from tasks.canvas import plan_of
from tasks.worker import child_name
from testing.delivery import deliver
from testing.runs import Run

Action = type[ActionApi] | Signature[Any] | Iterable[Signature[Any]]

_MOST_ATTEMPTS = 10_000
_MOMENTS = (
    *("created_at", "not_before", "dispatched_at", "deadline_at", "due_at"),
    *("started_at", "heartbeat_at", "finished_at"),
)
_OUTCOMES = ("succeed", "expand", "fail", "put_off")


class WorkerLostError(BaseException):
    """The process that ran a task is gone. Nobody in it catches that."""


def run_action(
    action: Action,
    parameters: Mapping[str, Any] | None = None,
    *,
    seed: int | None = None,
    lose_worker_at: Collection[str] = (),
) -> Run:
    """Have an action accepted and run, until nothing of it is left to do. Retries do not wait.

    ``action`` is its class, for ``parameters`` as a client sends them, or what a ``@chainable`` returned. ``seed`` and
    ``lose_worker_at`` (names of tasks) are those of the Workbench.
    """
    workbench = Workbench(seed=seed)
    for task in lose_worker_at:
        workbench.lose_worker_at(task)
    run = workbench.request(action, parameters)
    workbench.settle()
    return run


class Workbench:
    """A service of a test's own: its actions, its one worker, and the time that passes for them.

    Of tasks that could run side by side the one that was planned first runs first; with a ``seed``, chance decides,
    the same for the same seed. ``waited`` tells how many seconds have passed.
    """

    def __init__(self, *, seed: int | None = None) -> None:
        self.waited = 0.0
        self._runs: list[Run] = []
        self._chance = None if seed is None else Random(seed)  # noqa: S311  it decides an order
        self._losses: list[tuple[str, bool]] = []
        self._attempts = 0

    def request(
        self,
        action: Action,
        parameters: Mapping[str, Any] | None = None,
        *,
        timing: Mapping[str, str] | None = None,
        requested_by: int | None = None,
    ) -> Run:
        """Have an action accepted, as by a POST of ``parameters`` with ``timing`` in the query: ``{"delay": "60"}``.

        Raises:
            ValidationError, ProblemError: what the client would be answered.
            PlanInvalidError: what its ``@chainable`` built cannot be run.

        """
        with _without_broker():
            if isinstance(action, type):
                run = Run(_accept(action, parameters or {}, timing or {}, requested_by), action)
            else:
                plan = plan_of(action)
                run = Run(actions.request("testing", plan, parameters=None, requested_by=requested_by))
        self._runs.append(run)
        return run

    def work(self, most: int | None = None) -> None:
        """Run what can be run now, and what follows from it, without letting time pass: ``most`` attempts, or all."""
        while most != 0 and (task := self._choose()):
            self._attempt(task)
            most = None if most is None else most - 1

    def settle(self) -> None:
        """Run until every action is final, and let time pass whenever everything waits for it."""
        self.work()
        while (seconds := self._seconds_to_wait()) is not None:
            self.pass_time(seconds)
            self.work()
        for run in self._runs:
            if run.status in (Status.PENDING, Status.RUNNING):
                raise AssertionError(f"Nothing of it can run.\n{run}")

    def pass_time(self, seconds: float) -> None:
        """Let time pass: delays and schedules come due, deadlines pass. All that has been is that much longer ago."""
        self.waited += seconds
        shift = timedelta(seconds=seconds)
        self._reports().update(**{moment: F(moment) - shift for moment in _MOMENTS})
        while recovery.end_overdue():
            pass

    def lose_worker_at(self, task: str, *, work_done: bool = True) -> None:
        """Lose the worker that makes the next attempt at the task of this name, and have it rescued.

        What the task does has been done then and is not recorded: the worst moment. With ``work_done=False`` nothing
        of it was done. Said twice, two attempts are lost.
        """
        self._losses.append((task, work_done))

    def cancel(self, run: Run) -> None:
        """Cancel an action. Raises ReportFinalError where it is final."""
        actions.cancel(run.id)

    def retry(self, run: Run) -> None:
        """Have an action that failed or was cancelled go on. Raises ReportNotRetryableError for any other."""
        with _without_broker():
            actions.retry(run.id)

    def _choose(self) -> AsyncActionReport | None:
        due = Q(not_before=None) | Q(not_before__lte=selectors.read_clock())
        waiting_ones = self._tasks().filter(due, status=Status.PENDING, dispatched_at__isnull=False)
        ready = list(waiting_ones.only("id", "task").order_by("id"))
        if not ready:
            return None
        return self._chance.choice(ready) if self._chance else ready[0]

    def _attempt(self, report: AsyncActionReport) -> None:
        self._attempts += 1
        if self._attempts > _MOST_ATTEMPTS:
            raise AssertionError(f"{report.task} goes on for ever, after {_MOST_ATTEMPTS:,} attempts.")
        loss = next((loss for loss in self._losses if loss[0] == report.task), None)
        with _without_broker():
            if loss:
                self._losses.remove(loss)
                _lose(report, work_done=loss[1])
            else:
                deliver(report.task, str(report.id))

    def _seconds_to_wait(self) -> float | None:
        """Return the time until something comes due, None where nothing waits for its time."""
        delays = self._tasks().filter(status=Status.PENDING, not_before__isnull=False, dispatched_at__isnull=False)
        deadlines = self._reports().filter(status__in=(Status.PENDING, Status.RUNNING), deadline_at__isnull=False)
        first = delays.order_by("not_before").values_list("not_before", flat=True).first()
        if first is None:
            return None
        deadline = deadlines.order_by("deadline_at").values_list("deadline_at", flat=True).first()
        moment = min(first, deadline) if deadline else first
        return max(0.0, (moment - selectors.read_clock()).total_seconds()) + 0.001

    def _reports(self) -> QuerySet[AsyncActionReport]:
        return AsyncActionReport.objects.filter(root__in=[run.id for run in self._runs])

    def _tasks(self) -> QuerySet[AsyncActionReport]:
        return self._reports().filter(kind=Kind.TASK)


def _accept(
    action: type[ActionApi], parameters: Mapping[str, Any], timing: Mapping[str, str], requested_by: int | None
) -> UUID:
    wanted = action.understood(Submission(dict(parameters), timing, None), action.timing_by(timing))
    [outcome] = actions.request_all([wanted], requested_by=requested_by)
    if not isinstance(outcome, Accepted):
        raise outcome
    return outcome.report


def _lose(report: AsyncActionReport, *, work_done: bool) -> None:
    """Have the worker of an attempt die, and its death be noticed at once, as by its main process."""

    def die(*_: object, **__: object) -> None:
        raise WorkerLostError

    task = current_app.tasks[report.task]
    outcomes: dict[str, Any] = dict.fromkeys(_OUTCOMES, die)
    dying: AbstractContextManager[Any] = (
        patch.multiple(execution, **outcomes) if work_done else patch.object(task, "run", die)
    )
    with dying, suppress(WorkerLostError):
        deliver(report.task, str(report.id))
    lost = waiting.find_lost(report.id, worker=child_name(os.getpid()))
    if lost:
        recovery.rescue(lost)


@contextmanager
def _without_broker() -> Iterator[None]:
    """Have nothing published: whose turn it is, is read from the ledger."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  its proxy cannot be patched
    with patch.object(app, "send_task"):
        yield
