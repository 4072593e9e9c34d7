"""The engine, live: a worker in processes of its own, and the tests' way to have it run something."""

import os
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import redis
from celery.canvas import Signature
from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils.timezone import now

from reports import selectors
from reports.models import FINAL, AsyncActionReport, Kind
from reports.requests import ANY_TIME, Timing
from reports.selectors import Report
from services import actions
from stack.process import wait_for
from stack.valkey import Valkey
from stack.worker import Worker
from tasks.canvas import plan_of

ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings",  # the tests' own would make a database of their own
    "ACTION_MODULES": ",".join(
        f"tests.actions.{name}"
        for name in ("canvases", "fanouts", "limits", "outcomes", "processes", "progress", "retries")
    ),
    "RECOVERY_LEASE": "60",
    "REPORT_MAX_ERRORS": "5",
}
_PATIENCE = 100.0  # seconds; far more than anything here takes on an idle machine


class Engine:
    """A worker on the test's broker and database."""

    def __init__(self, worker: Worker, valkey: Valkey) -> None:
        self.worker = worker
        self.valkey = valkey
        self._more_workers: list[Worker] = []

    def start(self) -> None:
        """Start the worker if it does not run, and go on with it if it is paused."""
        if self.worker.is_running:
            self.worker.resume()
        else:
            self.worker.start()

    def add_worker(
        self, environment: Mapping[str, str] | None = None, *, kind: type[Worker] = Worker, **options: Any
    ) -> Worker:
        """Start one more worker, which ends with the test."""
        name = f"engine{len(self._more_workers) + 2}"
        worker = kind(
            {**os.environ, **ENVIRONMENT, **(environment or {})},
            log=self.worker.log.with_name(f"{name}.log"),
            name=name,
            **options,
        )
        self._more_workers.append(worker)
        return worker.start()

    def dismiss_more_workers(self) -> None:
        """End the workers that a test added."""
        while self._more_workers:
            self._more_workers.pop().kill()

    def request(self, *signatures: Signature, timing: Timing = ANY_TIME) -> UUID:
        """Have an action of these signatures, one after another, accepted. Returns its report's id."""
        plan = plan_of(signatures)
        return actions.request("test", plan, parameters={}, requested_by=None, timing=timing)

    def run(self, *signatures: Signature, seconds: float = _PATIENCE) -> Report:
        """Have an action run until nothing of it is left to do. Returns its report."""
        root = self.request(*signatures)
        self.settle([root], seconds=seconds)
        return self.report(root)

    def report(self, root: UUID) -> Report:
        """Return a report."""
        report = selectors.find(root, owner=None)
        assert report is not None
        return report

    def tasks(self, root: UUID) -> list[Report]:
        """Return the reports of an action's tasks with their results, in the order they were planned."""
        ids = AsyncActionReport.objects.filter(root_id=root, kind=Kind.TASK).order_by("id").values_list("id", flat=True)
        return [self.report(id_) for id_ in ids]

    def hasten(self, task: UUID) -> None:
        """Have a task's delay be over."""
        past = now() - timedelta(seconds=1)
        AsyncActionReport.objects.filter(id=task).update(not_before=past, due_at=past)

    def messages(self) -> list[str]:
        """Return the messages that wait in the broker."""
        with redis.Redis.from_url(self.valkey.url(), decode_responses=True) as client:
            return client.lrange(settings.TASK_DEFAULT_QUEUE, 0, -1)

    def clear_messages(self) -> None:
        """Have the broker forget what waits: what earlier tests left behind."""
        with redis.Redis.from_url(self.valkey.url()) as client:
            client.delete(settings.TASK_DEFAULT_QUEUE)

    def wait_until(self, condition: Callable[[], bool], *, seconds: float = _PATIENCE) -> None:
        """Wait for a condition."""
        assert wait_for(condition, seconds), f"Not within {seconds:g} s.\n{self._log_tails()}"

    def settle(self, roots: Collection[UUID], *, seconds: float = _PATIENCE) -> None:
        """Wait until every report of these actions is final."""
        assert wait_for(lambda: not self.is_busy(roots), seconds), (
            f"Not final after {seconds:g} s on {connection.vendor}:"
            f" {list(_unfinished(roots).values('id', 'root_id', 'kind', 'task', 'status', 'attempts')[:10])}"
            f"\n{self._log_tails()}"
        )

    def is_busy(self, roots: Collection[UUID]) -> bool:
        """Tell whether anything of these actions is left to do."""
        return _unfinished(roots).exists()

    def _log_tails(self) -> str:
        return "\n".join(f"{worker.name}:\n{worker.log_tail()}" for worker in (self.worker, *self._more_workers))


def _unfinished(roots: Collection[UUID]) -> QuerySet[AsyncActionReport]:
    return AsyncActionReport.objects.filter(root_id__in=roots).exclude(status__in=FINAL)
