"""The ledger as an observer sees it: read only, by statements of its own rather than by the code that is examined."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from reports.models import FINAL, AsyncActionReport, Kind, Status

_IDS_PER_QUERY = 500
_OUTCOME = (
    *("status", "result", "outcome_from", "finished_at"),
    *("error_code", "error_type", "error_message", "error_task"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """What the ledger says of one report."""

    id: UUID
    root: UUID
    parent: UUID | None
    kind: str
    status: str
    task: str
    attempts: int
    finished_at: datetime | None
    outcome: tuple[Any, ...]

    @property
    def is_final(self) -> bool:
        """Whether it is finished."""
        return self.status in FINAL

    @property
    def is_task(self) -> bool:
        """Whether it is a task, or was one before it became the chain of what it returned."""
        return bool(self.task)


def read(roots: Collection[UUID] | None = None) -> list[Row]:
    """Return all reports, or those of some actions."""
    if roots is None:
        return list(_rows())
    return [row for batch in batches(roots) for row in _rows(root__in=batch)]


def unfinished(roots: Collection[UUID] | None = None) -> list[Row]:
    """Return the reports that are not final."""
    return [row for row in read(roots) if not row.is_final]


def finished() -> dict[UUID, tuple[Any, ...]]:
    """Return the outcome of every report that is final."""
    return {row.id: row.outcome for row in _rows(status__in=FINAL)}


def waiting_or_running() -> dict[UUID, int]:
    """Return the attempts of every task that is in flight, or waits for a worker."""
    tasks = AsyncActionReport.objects.filter(kind=Kind.TASK)
    running = tasks.filter(status=Status.RUNNING)
    waiting = tasks.filter(status=Status.PENDING, dispatched_at__isnull=False)
    return dict((running | waiting).values_list("id", "attempts"))


def still(tasks: dict[UUID, int]) -> set[UUID]:
    """Return those of these tasks, with their attempts, that are neither final nor claimed once more."""
    left = set()
    for batch in batches(tasks):
        rows = AsyncActionReport.objects.filter(id__in=batch, kind=Kind.TASK).exclude(status__in=FINAL)
        left |= {id_ for id_, attempts in rows.values_list("id", "attempts") if attempts == tasks[id_]}
    return left


def batches(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    """Return the ids in portions that a statement can take."""
    ids = list(ids)
    return (ids[first : first + _IDS_PER_QUERY] for first in range(0, len(ids), _IDS_PER_QUERY))


def _rows(**conditions: Any) -> Iterator[Row]:
    columns = ("id", "root_id", "parent_id", "kind", "status", "task", "attempts", "finished_at")
    reports = AsyncActionReport.objects.filter(**conditions).order_by("id")
    for values in reports.values_list(*columns, *_OUTCOME):
        own, outcome = values[: len(columns)], values[len(columns) :]
        yield Row(*own, tuple(_hashable(value) for value in outcome))


def _hashable(value: Any) -> Any:
    return repr(value) if isinstance(value, list | dict) else value
