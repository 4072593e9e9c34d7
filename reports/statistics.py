"""How the service is, for people who look now and then: each question reads a bounded number of reports by an index.

What is counted or measured is a sample of the newest; each limit is a constant here, and is told with the figures.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from reports.database import TABLE, as_bound, as_moment, as_uuid, fetch_all, reaching_out, seconds_since
from reports.models import Status
from reports.search import Search, clients, first_id

#: Actions whose times are measured, the newest that are finished.
MOST_MEASURED = 5_000
#: Failed actions that are grouped, the newest.
MOST_FAILURES = 1_000
#: Actions that are counted for a chart: of all that are finished, and of each client's.
MOST_COUNTED = 100_000
#: Tasks that are shown as running.
MOST_RUNNING = 500
#: Length of a chart's parts: that by which the first eight hexadecimal digits of a UUIDv7 count.
SLICE = timedelta(milliseconds=2**16)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one action took, in seconds: from the moment it might begin to its beginning, and from there to its end."""

    action: str
    status: Status
    queued: float | None
    ran: float | None


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failed actions that have action, code and type of the error in common. ``latest`` is the newest one's report."""

    action: str
    code: str
    type: str
    number: int
    first_at: datetime
    last_at: datetime
    latest: UUID


@dataclass(frozen=True, slots=True)
class Running:
    """A task that a worker executes. Seconds since it was claimed, and since its worker was heard of."""

    id: UUID
    root: UUID
    action: str
    task: str
    attempt: int
    worker: str
    runs_for: float
    silent_for: float


def measure_finished(since: datetime) -> list[Measured]:
    """Return what the newest finished actions took, of those that ended since then."""
    queued, ran = _seconds("started_at", _TURN), _seconds("finished_at", "started_at")
    rows = fetch_all(
        f"""
        SELECT action, status, {queued}, {ran} FROM {TABLE}
        WHERE parent_id IS NULL AND finished_at IS NOT NULL AND finished_at >= %s ORDER BY finished_at DESC LIMIT %s
        """,  # noqa: S608
        [as_bound(since), MOST_MEASURED],
    )
    return [Measured(action, Status(status), queued, ran) for action, status, queued, ran in rows]


def count_finished(since: datetime) -> dict[datetime, int]:
    """Return how many actions have ended in each ``SLICE`` since then, by its beginning."""
    rows = fetch_all(
        f"""
        SELECT part, COUNT(*) FROM (
            SELECT {_slice("finished_at")} AS part FROM {TABLE}
            WHERE parent_id IS NULL AND finished_at IS NOT NULL AND finished_at >= %s
            ORDER BY finished_at DESC LIMIT %s
        ) newest GROUP BY part
        """,  # noqa: S608
        [as_bound(since), MOST_COUNTED],
    )
    return {_beginning(part): number for part, number in rows}


def count_accepted(since: datetime) -> dict[datetime, int]:
    """Return how many actions were accepted in each ``SLICE`` since then, by its beginning. Reads nothing but ids."""
    newest = f"SELECT s.id FROM {TABLE} s WHERE s.parent_id IS NULL AND s.id >= %s AND"  # noqa: S608
    of_clients = reaching_out("id", clients(), f"{newest} s.requested_by_id = o.id ORDER BY s.id DESC LIMIT %s")
    of_nobody = f"{newest} s.requested_by_id IS NULL ORDER BY s.id DESC LIMIT %s"
    rows = fetch_all(
        f"""
        SELECT SUBSTR(CAST(id AS text), 1, 8) AS part, COUNT(*)
        FROM ({of_clients} UNION ALL SELECT id FROM ({of_nobody}) n) e GROUP BY part
        """,  # noqa: S608
        [first_id(since), MOST_COUNTED] * 2,
    )
    return {_beginning(int(part, 16)): number for part, number in rows}


def group_failures(since: datetime) -> list[FailureGroup]:
    """Return the newest failed actions, of those asked for since then, by what they failed with: most first."""
    found, values = Search(statuses=(Status.FAILED,), created_after=since).statement(limit=MOST_FAILURES, after=None)
    rows = fetch_all(
        f"""
        SELECT id, action, error_code, error_type, finished_at FROM {TABLE} r WHERE r.id IN ({found})
        """,  # noqa: S608
        values,
    )
    return _grouped(rows)


def list_running() -> list[Running]:
    """Return tasks that run, those first whose worker has been silent for longest."""
    rows = fetch_all(
        f"""
        SELECT id, root_id, action, task, attempts, worker, {seconds_since("started_at")},
            {seconds_since("heartbeat_at")}
        FROM {TABLE} WHERE status = 'running' AND kind = 'task' ORDER BY heartbeat_at LIMIT %s
        """,  # noqa: S608
        [MOST_RUNNING],
    )
    return [
        Running(as_uuid(id_), as_uuid(root), action, task, attempt, worker, float(runs or 0), float(silent or 0))
        for id_, root, action, task, attempt, worker, runs, silent in rows
    ]


def slices(since: datetime, until: datetime) -> Iterable[datetime]:
    """Return the beginnings of all slices between two moments, the first one being whole."""
    number = int(since.timestamp() / SLICE.total_seconds()) + 1
    while (beginning := _beginning(number)) <= until:
        yield beginning
        number += 1


# Of a root: asked for, or retried last, and at its time.
_CALLED = "COALESCE(dispatched_at, created_at)"
_TURN = f"CASE WHEN not_before > {_CALLED} THEN not_before ELSE {_CALLED} END"


def _seconds(end: str, start: str) -> str:
    if connection.vendor == "postgresql":
        return f"EXTRACT(EPOCH FROM {end} - {start})::float8"
    return f"((julianday({end}) - julianday({start})) * 86400.0)"


def _slice(column: str) -> str:
    if connection.vendor == "postgresql":
        return f"FLOOR(EXTRACT(EPOCH FROM {column}) * 1000 / 65536)::bigint"
    return f"CAST((julianday({column}) - 2440587.5) * 86400000 / 65536 AS INTEGER)"


def _beginning(number: int) -> datetime:
    return datetime.fromtimestamp(number * SLICE.total_seconds(), UTC)


def _grouped(rows: Iterable[tuple[Any, ...]]) -> list[FailureGroup]:
    groups: dict[tuple[str, str, str], list[tuple[datetime, UUID]]] = {}
    for id_, action, code, type_, finished_at in rows:
        moment = as_moment(finished_at)
        if moment is not None:
            groups.setdefault((action, code, type_), []).append((moment, as_uuid(id_)))
    found = []
    for key, members in groups.items():
        last_at, latest = max(members)
        found.append(FailureGroup(*key, len(members), min(members)[0], last_at, latest))
    return sorted(found, key=lambda group: (-group.number, group.action, group.code, group.type))
