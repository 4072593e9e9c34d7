"""What an operator sees of an action's tree: when each of its reports began and ended, and what each attempt came to.

Without what may be large or somebody's secret: that is read of one report at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from reports.database import TABLE, Row, as_moment, as_uuid, fetch_all, fetch_one
from reports.documents import load
from reports.models import Kind, Status


@dataclass(frozen=True, slots=True)
class Step:
    """One report below an action's. Times are aware, in UTC; those of the database's clock.

    ``errors`` are those of its failed attempts, oldest first, without tracebacks:
    ``{"attempt", "started_at", "failed_at", "code", "type", "message", …}``.
    """

    id: UUID
    parent: UUID
    position: int
    kind: Kind
    status: Status
    task: str
    attempts: int
    worker: str
    children_total: int
    children_ok: int
    progress: dict[str, Any] | None
    errors: list[dict[str, Any]]
    not_before: datetime | None
    dispatched_at: datetime | None
    started_at: datetime | None
    heartbeat_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Payload:
    """The beginning of a JSON document, as text. ``length`` is that of the whole, in characters."""

    text: str
    length: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return len(self.text) == self.length


def list_steps(
    root: UUID, *, limit: int, after: UUID | None = None, statuses: Sequence[Status] = (), tasks_only: bool = False
) -> list[Step]:
    """Return up to ``limit`` reports below a root in the order they were planned, those of ``statuses`` where given.

    ``after`` is the id of the last report of the page before.
    """
    conditions = ["r.root_id = %s", "r.parent_id IS NOT NULL"]
    values: list[Any] = [root]
    if after:
        conditions.append("r.id > %s")
        values.append(after)
    if statuses:
        conditions.append(f"r.status IN ({', '.join(['%s'] * len(statuses))})")
        values += statuses
    if tasks_only:
        conditions.append("r.kind = 'task'")
    rows = fetch_all(
        f"""
        SELECT r.id, r.parent_id, r.position, r.kind, r.status, r.task, r.attempts, r.worker, r.children_total,
            r.children_ok, r.progress, {_errors_without_tracebacks()},
            r.not_before, r.dispatched_at, r.started_at, r.heartbeat_at, r.finished_at
        FROM {TABLE} r WHERE {" AND ".join(conditions)} ORDER BY r.id LIMIT %s
        """,  # noqa: S608
        [*values, limit],
    )
    return [_step(row) for row in rows]


def count_tasks(root: UUID) -> dict[Status, int]:
    """Return how many of an action's tasks stand where. Reads the whole tree."""
    rows = fetch_all(
        f"SELECT status, COUNT(*) FROM {TABLE} WHERE root_id = %s AND kind = 'task' GROUP BY status",  # noqa: S608
        [root],
    )
    return {Status(status): number for status, number in rows}


def find_root(id_: UUID) -> UUID | None:
    """Return the action's report that a report belongs to, itself where it is one."""
    row = fetch_one(f"SELECT root_id FROM {TABLE} WHERE id = %s", [id_])  # noqa: S608
    return as_uuid(row[0]) if row else None


def read_errors(id_: UUID) -> list[dict[str, Any]]:
    """Return what each failed attempt of a report came to, oldest first, with tracebacks."""
    row = fetch_one(f"SELECT errors FROM {TABLE} WHERE id = %s", [id_])  # noqa: S608
    return list(load(row[0])) if row else []


def read_traceback(id_: UUID) -> str:
    """Return the traceback of the error that a report failed with, its own or that of the task that did."""
    row = fetch_one(
        f"""
        SELECT held.error_traceback FROM {TABLE} r LEFT JOIN {TABLE} held ON held.id = COALESCE(r.outcome_from, r.id)
        WHERE r.id = %s
        """,  # noqa: S608
        [id_],
    )
    return str(row[0] or "") if row else ""


def read_payloads(id_: UUID, *, longest: int) -> dict[str, Payload]:
    """Return the parameters, arguments and result that a report has, of each up to ``longest`` characters.

    The result of a chain is that of the task which has it; a group's is its tasks', and is not put together here.
    """
    columns = {"parameters": "r.parameters", "arguments": "r.arguments", "result": "held.result"}
    parts = ", ".join(f"SUBSTR(CAST({c} AS text), 1, %s), LENGTH(CAST({c} AS text))" for c in columns.values())
    row = fetch_one(
        f"""
        SELECT {parts} FROM {TABLE} r LEFT JOIN {TABLE} held ON held.id = COALESCE(r.outcome_from, r.id)
        WHERE r.id = %s
        """,  # noqa: S608
        [*[longest] * len(columns), id_],
    )
    pairs = zip(row[::2], row[1::2], strict=True) if row else ()
    return {
        name: Payload(text, length) for name, (text, length) in zip(columns, pairs, strict=False) if text is not None
    }


def _errors_without_tracebacks() -> str:
    if connection.vendor == "postgresql":
        return "(SELECT jsonb_agg(e - 'traceback') FROM jsonb_array_elements(r.errors) e)::text"
    return "(SELECT json_group_array(json_remove(value, '$.traceback')) FROM json_each(r.errors))"


def _step(row: Row) -> Step:
    id_, parent, position, kind, status, task, attempts, worker, children_total, children_ok, progress, errors = row[
        :12
    ]
    return Step(
        as_uuid(id_),
        as_uuid(parent),
        position,
        Kind(kind),
        Status(status),
        task,
        attempts,
        worker,
        children_total,
        children_ok,
        load(progress),
        load(errors) or [],
        *map(as_moment, row[12:]),
    )
