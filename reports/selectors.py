"""Reading reports: each a single query, served by one index."""

from base64 import urlsafe_b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from reports.database import TABLE, Row, as_bool, as_moment, as_uuid, batches, fetch_all, now
from reports.documents import load
from reports.inputs import results_of_group
from reports.models import Kind, Status
from reports.search import Search


@dataclass(frozen=True, slots=True)
class Error:
    """Why a report failed. ``task`` names the task that did; ``retryable`` tells whether a retry makes sense."""

    code: str
    type: str
    message: str
    task: str
    retryable: bool | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a report stands, and the action that it belongs to, with that one's own report."""

    status: Status
    action: str
    root: UUID


@dataclass(frozen=True, slots=True)
class Report:
    """A report as its readers see it. Time stamps are aware, in UTC; JSON columns are values.

    ``retries`` of an action are those that people asked for, of a task those of its own policy. ``read_at`` is the
    database's own time.
    """

    id: UUID
    root: UUID
    parent: UUID | None
    position: int
    kind: Kind
    status: Status
    action: str
    task: str
    system_call: bool
    requested_by: int | None
    idempotency_key: str | None
    progress: dict[str, Any] | None
    tasks_total: int
    tasks_ok: int
    children_total: int
    children_ok: int
    attempts: int
    retries: int
    errors: list[dict[str, Any]]
    error: Error | None
    created_at: datetime
    not_before: datetime | None
    deadline_at: datetime | None
    dispatched_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    read_at: datetime = field(compare=False)
    parameters: Any = None
    result: Any = None
    traceback: str = ""

    @property
    def turn_at(self) -> datetime | None:
        """When it could begin: asked for, or its turn, and at its time. ``None`` while it waits for others."""
        called = self.dispatched_at or (self.created_at if self.parent is None else None)
        return max(called, self.not_before) if called and self.not_before else called

    @property
    def version(self) -> str:
        """Return what is another one as soon as anything is that readers may see: a digest of what changes.

        Not of what is large. Parameters stay; a result comes with ``ok``, which is never left; the error of an attempt
        comes with the end of that attempt, and a traceback with its error.
        """
        seen = (
            *(self.kind, self.status, self.progress, self.error),
            *(self.tasks_total, self.tasks_ok, self.children_total, self.children_ok, self.attempts, self.retries),
            *(self.not_before, self.deadline_at, self.dispatched_at, self.started_at, self.finished_at),
        )
        return urlsafe_b64encode(blake2b(repr(seen).encode(), digest_size=15).digest()).decode()


#: What :func:`report_of` wants of a report, with a time of the database's own behind.
COLUMNS = (
    "id, root_id, parent_id, position, kind, status, action, task, system_call, requested_by_id, idempotency_key,"
    " progress, tasks_total, tasks_ok, children_total, children_ok, attempts, retries, errors,"
    " error_code, error_type, error_message, error_task, error_retryable,"
    " created_at, not_before, deadline_at, dispatched_at, started_at, finished_at"
)
_COLUMNS = ", ".join(f"r.{name}" for name in COLUMNS.split(", "))
_PLAIN_COLUMNS = 30
# Without what may be large: what went wrong in each attempt, with tracebacks.
_OUTLINE = _COLUMNS.replace("r.errors", "'[]'")
_LISTED_PARAMETERS = "CASE WHEN LENGTH(CAST(r.parameters AS text)) <= %s THEN r.parameters END"
_IDS_PER_QUERY = 500


def find(id_: UUID, *, owner: int | None) -> Report | None:
    """Return a report with its result, or with the traceback of its error.

    ``owner`` is the user whose report it must be; ``None`` sees everybody's.
    """
    rows = fetch_all(
        f"""
        SELECT {_COLUMNS}, r.parameters, held.id, held.kind, held.result, held.error_traceback, {now()}
        FROM {TABLE} r LEFT JOIN {TABLE} held ON held.id = COALESCE(r.outcome_from, r.id)
        WHERE r.id = %s{_owned(owner)}
        """,  # noqa: S608
        [id_, *_owner(owner)],
    )
    if not rows:
        return None
    row = rows[0]
    parameters, held, held_kind, result, traceback, read_at = row[_PLAIN_COLUMNS:]
    gathered = row[5] == Status.OK and held_kind == Kind.GROUP
    return report_of(
        row,
        read_at,
        parameters=load(parameters),
        result=results_of_group(as_uuid(held)) if gathered else load(result),
        traceback=traceback or "",
    )


def find_outline(id_: UUID, *, owner: int | None) -> Report | None:
    """Return a report without what may be large: parameters, result, traceback and the errors of its attempts."""
    sql = f"SELECT {_OUTLINE}, {now()} FROM {TABLE} r WHERE r.id = %s{_owned(owner)}"  # noqa: S608
    rows = fetch_all(sql, [id_, *_owner(owner)])
    return report_of(rows[0], rows[0][-1]) if rows else None


def find_outlines(ids: Collection[UUID]) -> dict[UUID, Report]:
    """Return the outlines of those of these reports that there are."""
    if not ids:
        return {}
    sql = f"SELECT {_OUTLINE}, {now()} FROM {TABLE} r WHERE r.id IN ({', '.join(['%s'] * len(ids))})"  # noqa: S608
    return {report.id: report for report in (report_of(row, row[-1]) for row in fetch_all(sql, list(ids)))}


def find_status(id_: UUID) -> Status | None:
    """Return only where a report stands."""
    rows = fetch_all(f"SELECT status FROM {TABLE} WHERE id = %s", [id_])  # noqa: S608
    return Status(rows[0][0]) if rows else None


def find_standing(id_: UUID) -> Standing | None:
    """Return where a report stands, and in which action."""
    rows = fetch_all(f"SELECT status, action, root_id FROM {TABLE} WHERE id = %s", [id_])  # noqa: S608
    return next((Standing(Status(status), action, as_uuid(root)) for status, action, root in rows), None)


def read_clock() -> datetime:
    """Return the database's own time, the only one that schedules and deadlines are measured by."""
    ((value,),) = fetch_all(f"SELECT {now()}")
    return _clock(value)


def list_roots(search: Search, *, limit: int, after: UUID | None = None, longest_parameters: int = 0) -> list[Report]:
    """Return up to ``limit`` of the actions' reports that are searched for, in their order, without results.

    ``after`` is the id of the last report of the page before. Parameters are read where they have at most
    ``longest_parameters`` characters as JSON.
    """
    found, values = search.statement(limit=limit, after=after)
    sql = f"""
        SELECT {_COLUMNS}, {_LISTED_PARAMETERS}, {now()} FROM {TABLE} r
        WHERE r.id IN ({found}) ORDER BY r.id {search.direction} LIMIT %s
        """  # noqa: S608
    return [
        report_of(row, row[-1], parameters=load(row[_PLAIN_COLUMNS]))
        for row in fetch_all(sql, [longest_parameters, *values, limit])
    ]


def find_roots(ids: Sequence[UUID], *, owner: int, longest_parameters: int) -> dict[UUID, Report]:
    """Return those of the actions' reports that are there, without results. Parameters as in a list."""
    rows = [
        row
        for batch in batches(ids, _IDS_PER_QUERY)
        for row in fetch_all(
            f"""
            SELECT {_COLUMNS}, {_LISTED_PARAMETERS}, {now()} FROM {TABLE} r
            WHERE r.id IN ({", ".join(["%s"] * len(batch))}) AND r.requested_by_id = %s
            """,  # noqa: S608
            [longest_parameters, *batch, owner],
        )
    ]
    return {as_uuid(row[0]): report_of(row, row[-1], parameters=load(row[_PLAIN_COLUMNS])) for row in rows}


def list_earlier(report: Report, *, limit: int) -> list[Report]:
    """Return outlines of up to ``limit`` reports of the same action and client, the latest that came before it."""
    client = "= %s" if report.requested_by is not None else "IS NULL"
    sql = f"""
        SELECT {_OUTLINE}, {now()} FROM {TABLE} r
        WHERE r.parent_id IS NULL AND r.requested_by_id {client} AND r.action = %s AND r.id < %s
        ORDER BY r.id DESC LIMIT %s
        """  # noqa: S608
    rows = fetch_all(sql, [*_owner(report.requested_by), report.action, report.id, limit])
    return [report_of(row, row[-1]) for row in rows]


def list_tree(root: UUID, *, owner: int | None, limit: int, after: UUID | None = None) -> list[Report]:
    """Return up to ``limit`` reports below a root, in the order they were planned.

    ``after`` is the id of the last report of the page before.
    """
    later = " AND r.id > %s" if after else ""
    sql = f"""
        SELECT {_COLUMNS}, {now()} FROM {TABLE} r
        WHERE r.root_id = %s AND r.parent_id IS NOT NULL{later}{_owned(owner)} ORDER BY r.id LIMIT %s
        """  # noqa: S608
    rows = fetch_all(sql, [root, *([after] if after else []), *_owner(owner), limit])
    return [report_of(row, row[-1]) for row in rows]


def _owned(owner: int | None) -> str:
    return "" if owner is None else " AND r.requested_by_id = %s"


def _owner(owner: int | None) -> Sequence[int]:
    return () if owner is None else (owner,)


def report_of(row: Row, read_at: datetime | str, **outcome: Any) -> Report:
    """Return the report that a row of ``COLUMNS`` stands for. ``outcome`` is what else is known of it."""
    (id_, root, parent, position, kind, status, action, task, system_call, requested_by, key, progress) = row[:12]
    tasks_total, tasks_ok, children_total, children_ok, attempts, retries, errors = row[12:19]
    code, type_, message, failed_task, retryable = row[19:24]
    created_at, not_before, deadline_at, dispatched_at, started_at, finished_at = map(as_moment, row[24:_PLAIN_COLUMNS])
    assert created_at is not None  # noqa: S101  the column has a default
    return Report(
        id=as_uuid(id_),
        root=as_uuid(root),
        parent=as_uuid(parent) if parent else None,
        position=position,
        kind=Kind(kind),
        status=Status(status),
        action=action,
        task=task,
        system_call=bool(system_call),
        requested_by=requested_by,
        idempotency_key=key,
        progress=load(progress),
        tasks_total=tasks_total,
        tasks_ok=tasks_ok,
        children_total=children_total,
        children_ok=children_ok,
        attempts=attempts,
        retries=retries,
        errors=load(errors),
        error=Error(code, type_, message, failed_task, as_bool(retryable)) if code else None,
        created_at=created_at,
        not_before=not_before,
        deadline_at=deadline_at,
        dispatched_at=dispatched_at,
        started_at=started_at,
        finished_at=finished_at,
        read_at=_clock(read_at),
        **outcome,
    )


def _clock(value: datetime | str) -> datetime:
    moment = as_moment(value)
    assert moment is not None  # noqa: S101  a clock has a time
    return moment
