"""Reports as a service has them on an ordinary day, for pictures."""

from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model

from reports import workers
from reports.database import TABLE, execute, now
from reports.models import AsyncActionReport, Kind, Status
from reports.selectors import read_clock

ACTIONS = ("sync-invoices", "ensure-customer", "invoice-customer", "sync-all-invoices")
TASKS = {
    "sync-invoices": ("invoices.fetch", "invoices.store"),
    "ensure-customer": ("customers.look_up", "customers.create", "customers.store"),
    "invoice-customer": ("customers.look_up", "invoices.create"),
    "sync-all-invoices": ("customers.list", "invoices.summarise"),
}
ERRORS = (
    ("customer_unknown", "CustomerUnknownError", "InvoicesPlus knows no customer cus_4711."),
    ("rate_limited", "RateLimitedError", "InvoicesPlus took no more requests; it was asked five times."),
    ("worker_lost", "WorkerLostError", "The worker was lost while it ran the task; whether it was done is not known."),
    ("task_failed", "KeyError", "The task failed with an unexpected error. The operator can see which."),
)
TRACEBACK = """Traceback (most recent call last):
  File "tasks/invoices.py", line 58, in __store_invoices
    return store_invoices(customer_id, pages)
  File "services/invoices/records.py", line 94, in store_invoices
    raise CustomerUnknownError(customer_id)
CustomerUnknownError: InvoicesPlus knows no customer cus_4711."""
_SECOND = timedelta(seconds=1)


class Demo:
    """Reports whose times are as if they had been. ``random`` decides how long everything took."""

    def __init__(self, seed: int = 7) -> None:
        self.random = Random(seed)  # noqa: S311  it hides nothing
        self.now = read_clock()
        self.clients = [get_user_model().objects.create_user(name).pk for name in ("billing", "shop", "reporting")]
        self._rows: list[AsyncActionReport] = []

    def fill(self) -> None:
        """Add an hour of work: what has ended, and what waits."""
        moment = self.now - timedelta(minutes=62)
        while moment < self.now - 9 * _SECOND:
            load = 1.6 if (moment.minute // 12) % 2 else 0.8
            moment += self.random.expovariate(load * 0.22) * _SECOND
            self._small(moment)
        for number in range(4):
            self._waiting(self.now - (1 + 2 * number) * _SECOND)

    def _small(self, asked: datetime) -> None:
        action = self.random.choices(ACTIONS, (8, 4, 3, 1))[0]
        waited = self.random.lognormvariate(-1.6, 0.9)
        started = asked + waited * _SECOND
        steps = [self.random.lognormvariate(0.1, 0.8) for _ in TASKS[action]]
        ended = min(started + sum(steps) * _SECOND, self.now)
        fate = self.random.random()
        status = Status.FAILED if fate < 0.045 else Status.CANCELLED if fate < 0.055 else Status.OK
        error = self.random.choices(ERRORS, (5, 3, 1, 2))[0] if status == Status.FAILED else None
        self.root(action, status, asked, started, ended, error=error)

    def _waiting(self, asked: datetime) -> None:
        root = self.root("sync-invoices", Status.PENDING, asked, None, None, total=2)
        self.node(root, root, 0, Status.PENDING, "invoices.fetch", called=asked, due=self.now + 30 * _SECOND)

    def root(  # noqa: PLR0913  one for each thing that pictures show
        self,
        action: str,
        status: Status,
        asked: datetime,
        started: datetime | None,
        ended: datetime | None,
        *,
        error: tuple[str, str, str] | None = None,
        total: int | None = None,
        ok: int | None = None,
        **fields: Any,
    ) -> UUID:
        """Add an action's report."""
        total = len(TASKS[action]) if total is None else total
        done = (total if status == Status.OK else 0) if ok is None else ok
        return self._add(
            asked,
            None,
            kind=Kind.CHAIN,
            action=action,
            status=status,
            system_call=False,
            requested_by_id=self.random.choice(self.clients),
            tasks_total=total,
            tasks_ok=done,
            created_at=asked,
            started_at=started,
            finished_at=ended,
            parameters={"customer_id": "cus_4711"},
            **(_error(error, TASKS[action][-1]) if error else {}),
            **fields,
        )

    def node(  # noqa: PLR0913
        self,
        root: UUID,
        parent: UUID,
        position: int,
        status: Status,
        task: str = "",
        *,
        kind: Kind = Kind.TASK,
        called: datetime | None = None,
        started: datetime | None = None,
        ended: datetime | None = None,
        error: tuple[str, str, str] | None = None,
        due: datetime | None = None,
        attempts: int | None = None,
        **fields: Any,
    ) -> UUID:
        """Add a report below an action's."""
        number = attempts if attempts is not None else int(started is not None)
        return self._add(
            called or self.now,
            root,
            parent_id=parent,
            position=position,
            kind=kind,
            status=status,
            action=next(row.action for row in self._rows if row.id == root),
            task=task,
            attempts=number,
            worker="worker1@node-1#5e1f1a07:4242-1f" if started else "",
            created_at=called or self.now,
            dispatched_at=called,
            started_at=started,
            heartbeat_at=started,
            finished_at=ended,
            due_at=due,
            arguments={"args": [], "kwargs": {}} if kind == Kind.TASK else None,
            **(_error(error, task) if error else {}),
            **fields,
        )

    def _add(self, made: datetime, root: UUID | None, **fields: Any) -> UUID:
        id_ = UUID(int=(int(made.timestamp() * 1000) << 80) + (7 << 76) + (2 << 62) + len(self._rows))
        self._rows.append(AsyncActionReport(id=id_, root_id=root or id_, starts_with=root or id_, **fields))
        return id_

    def write(self) -> None:
        """Write all of it, and have those who work be heard of at this moment."""
        AsyncActionReport.objects.bulk_create(self._rows)
        for process in (1, 2):
            workers.show_up(f"worker{process}@node-{process}#5e1f{process}a07", queues=["async-actions"], processes=4)
        execute(f"UPDATE {TABLE} SET heartbeat_at = {now()} WHERE status = 'running'")  # noqa: S608


def failed_attempt(
    number: int, start: datetime, end: datetime, error: tuple[str, str, str], task: str
) -> dict[str, Any]:
    """Return the entry for a report's list of errors."""
    code, type_, message = error
    return {
        "attempt": number,
        "started_at": start.isoformat(),
        "failed_at": end.isoformat(),
        "code": code,
        "type": type_,
        "message": message,
        "task": task,
        "traceback": TRACEBACK,
        "retryable": None,
    }


def _error(error: tuple[str, str, str], task: str) -> dict[str, Any]:
    code, type_, message = error
    return {
        "error_code": code,
        "error_type": type_,
        "error_message": message,
        "error_task": task,
        "error_traceback": TRACEBACK,
    }
