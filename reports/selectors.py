"""Reading reports: each a single query, served by one index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from reports.database import TABLE, Row, as_bool, as_uuid, batches, fetch_all, now
from reports.documents import load
from reports.inputs import results_of_group
from reports.models import Kind, Status


@dataclass(frozen=True, slots=True)
class Error:
    """Why a report failed. ``task`` names the task that did; ``retryable`` tells whether a retry makes sense."""

    code: str
    type: str
    message: str
    task: str
    retryable: bool | None


@dataclass(frozen=True, slots=True)
class Report:
    """A report as its readers see it. Time stamps are aware, in UTC; JSON columns are values.

    ``retries`` of an action are those that people asked for, of a task those of its own policy.
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
    parameters: Any = None
    result: Any = None
    traceback: str = ""


_COLUMNS = """r.id, r.root_id, r.parent_id, r.position, r.kind, r.status, r.action, r.task, r.system_call,
    r.requested_by_id, r.idempotency_key, r.progress,
    r.tasks_total, r.tasks_ok, r.children_total, r.children_ok, r.attempts, r.retries, r.errors,
    r.error_code, r.error_type, r.error_message, r.error_task, r.error_retryable,
    r.created_at, r.not_before, r.deadline_at, r.dispatched_at, r.started_at, r.finished_at"""
_PLAIN_COLUMNS = 30
_LISTED_PARAMETERS = "CASE WHEN LENGTH(CAST(r.parameters AS text)) <= %s THEN r.parameters END"
_IDS_PER_QUERY = 500


def find(id_: UUID, *, owner: int | None) -> Report | None:
    """Return a report with its result, or with the traceback of its error.

    ``owner`` is the user whose report it must be; ``None`` sees everybody's.
    """
    rows = fetch_all(
        f"""
        SELECT {_COLUMNS}, r.parameters, held.id, held.kind, held.result, held.error_traceback
        FROM {TABLE} r LEFT JOIN {TABLE} held ON held.id = COALESCE(r.outcome_from, r.id)
        WHERE r.id = %s{_owned(owner)}
        """,  # noqa: S608
        [id_, *_owner(owner)],
    )
    if not rows:
        return None
    row = rows[0]
    parameters, held, held_kind, result, traceback = row[_PLAIN_COLUMNS:]
    gathered = row[5] == Status.OK and held_kind == Kind.GROUP
    return _report(
        row,
        parameters=load(parameters),
        result=results_of_group(as_uuid(held)) if gathered else load(result),
        traceback=traceback or "",
    )


def find_status(id_: UUID) -> Status | None:
    """Return only where a report stands."""
    rows = fetch_all(f"SELECT status FROM {TABLE} WHERE id = %s", [id_])  # noqa: S608
    return Status(rows[0][0]) if rows else None


def read_clock() -> datetime:
    """Return the database's own time, the only one that schedules and deadlines are measured by."""
    ((value,),) = fetch_all(f"SELECT {now()}")
    moment = _moment(value)
    assert moment is not None  # noqa: S101  a clock has a time
    return moment


def list_roots(  # noqa: PLR0913  the filters of a list
    *,
    owner: int | None,
    limit: int,
    before: UUID | None = None,
    action: str | None = None,
    status: Status | None = None,
    longest_parameters: int = 0,
) -> list[Report]:
    """Return up to ``limit`` actions' reports, newest first, without results.

    ``before`` is the id of the last report of the page before. Parameters are read where they have at most
    ``longest_parameters`` characters as JSON.
    """
    conditions = ["r.parent_id IS NULL"]
    values: list[Any] = []
    if owner is not None:
        conditions.append("r.requested_by_id = %s")
        values.append(owner)
    if action is not None:
        conditions.append("r.action = %s")
        values.append(action)
    if status is not None:
        conditions.append("r.status = %s")
        values.append(status)
    if before is not None:
        conditions.append("r.id < %s")
        values.append(before)
    sql = f"""
        SELECT {_COLUMNS}, {_LISTED_PARAMETERS} FROM {TABLE} r
        WHERE {" AND ".join(conditions)} ORDER BY r.id DESC LIMIT %s
        """  # noqa: S608
    return [
        _report(row, parameters=load(row[_PLAIN_COLUMNS]))
        for row in fetch_all(sql, [longest_parameters, *values, limit])
    ]


def find_roots(ids: Sequence[UUID], *, owner: int, longest_parameters: int) -> dict[UUID, Report]:
    """Return those of the actions' reports that are there, without results. Parameters as in a list."""
    rows = [
        row
        for batch in batches(ids, _IDS_PER_QUERY)
        for row in fetch_all(
            f"""
            SELECT {_COLUMNS}, {_LISTED_PARAMETERS} FROM {TABLE} r
            WHERE r.id IN ({", ".join(["%s"] * len(batch))}) AND r.requested_by_id = %s
            """,  # noqa: S608
            [longest_parameters, *batch, owner],
        )
    ]
    return {as_uuid(row[0]): _report(row, parameters=load(row[_PLAIN_COLUMNS])) for row in rows}


def list_tree(root: UUID, *, owner: int | None, limit: int, after: UUID | None = None) -> list[Report]:
    """Return up to ``limit`` reports below a root, in the order they were planned.

    ``after`` is the id of the last report of the page before.
    """
    later = " AND r.id > %s" if after else ""
    sql = f"""
        SELECT {_COLUMNS} FROM {TABLE} r
        WHERE r.root_id = %s AND r.parent_id IS NOT NULL{later}{_owned(owner)} ORDER BY r.id LIMIT %s
        """  # noqa: S608
    return [_report(row) for row in fetch_all(sql, [root, *([after] if after else []), *_owner(owner), limit])]


def _owned(owner: int | None) -> str:
    return "" if owner is None else " AND r.requested_by_id = %s"


def _owner(owner: int | None) -> Sequence[int]:
    return () if owner is None else (owner,)


def _report(row: Row, **outcome: Any) -> Report:
    (id_, root, parent, position, kind, status, action, task, system_call, requested_by, key, progress) = row[:12]
    tasks_total, tasks_ok, children_total, children_ok, attempts, retries, errors = row[12:19]
    code, type_, message, failed_task, retryable = row[19:24]
    created_at, not_before, deadline_at, dispatched_at, started_at, finished_at = map(_moment, row[24:_PLAIN_COLUMNS])
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
        **outcome,
    )


def _moment(value: datetime | str | None) -> datetime | None:
    # SQLite has no time zones; Django reads its columns as naive time stamps, its expressions as text, both in UTC.
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
