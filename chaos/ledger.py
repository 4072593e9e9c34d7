"""The ledger as an observer sees it: read only, by statements of its own rather than by the code that is examined."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from reports.models import FINAL, AsyncActionReport, Kind, Status

_IDS_PER_QUERY = 500
_OUTCOME = (
    *("status", "result", "outcome_from", "finished_at"),
    *("error_code", "error_type", "error_message", "error_task"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """What the ledger says of one report. ``resumes`` counts how often its action was resumed."""

    id: UUID
    root: UUID
    kind: str
    status: str
    task: str
    attempts: int
    finished_at: datetime | None
    resumes: int
    outcome: tuple[Any, ...]

    @property
    def is_final(self) -> bool:
        """Whether it is finished."""
        return self.status in FINAL

    @property
    def error_code(self) -> str:
        """The code of its error."""
        return str(self.outcome[_OUTCOME.index("error_code")])

    @property
    def is_task(self) -> bool:
        """Whether it is a task, or was one before it became the chain of what it returned."""
        return bool(self.task)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a task stood when it was looked at."""

    attempts: int
    is_running: bool
    worker: str
    heartbeat_at: datetime | None


def read(roots: Collection[UUID] | None = None) -> list[Row]:
    """Return all reports, or those of some actions."""
    if roots is None:
        return list(_rows())
    return [row for batch in batches(roots) for row in _rows(root__in=batch)]


def unfinished(roots: Collection[UUID] | None = None) -> list[Row]:
    """Return the reports that are not final."""
    if roots is None:
        return list(_rows(status__in=(Status.PENDING, Status.RUNNING)))
    return [row for row in read(roots) if not row.is_final]


def finished(*, within: timedelta | None = None) -> list[Row]:
    """Return the reports that are final, or those that have become so ``within`` the last time."""
    return list(_rows(status__in=FINAL, **({"finished_at__gte": Now() - within} if within else {})))


def under_way() -> dict[UUID, Mark]:
    """Return every task that is in flight, or waits for a worker."""
    in_time = Q(not_before=None) | Q(not_before__lte=Now())
    waiting = Q(status=Status.PENDING, dispatched_at__isnull=False) & in_time
    tasks = AsyncActionReport.objects.filter(Q(status=Status.RUNNING) | waiting, kind=Kind.TASK)
    return {
        id_: Mark(attempts, status == Status.RUNNING, worker, heartbeat_at)
        for id_, attempts, status, worker, heartbeat_at in tasks.values_list(
            "id", "attempts", "status", "worker", "heartbeat_at"
        )
    }


def batches(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    """Return the ids in portions that a statement can take."""
    ids = list(ids)
    return (ids[first : first + _IDS_PER_QUERY] for first in range(0, len(ids), _IDS_PER_QUERY))


def _rows(**conditions: Any) -> Iterator[Row]:
    columns = ("id", "root_id", "kind", "status", "task", "attempts", "finished_at", "root__retries")
    reports = AsyncActionReport.objects.filter(**conditions).order_by("id")
    for values in reports.values_list(*columns, *_OUTCOME):
        outcome = tuple(_hashable(value) for value in values[len(columns) :])
        fields: tuple[Any, ...] = (*values[: len(columns)], outcome)
        yield Row(*fields)


def _hashable(value: Any) -> Any:
    return repr(value) if isinstance(value, list | dict) else value
