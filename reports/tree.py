"""A tree's rows on their way into the table."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings

from reports.database import TABLE, execute, later, now
from reports.documents import load
from reports.handover import Dispatch, finish_empty
from reports.models import Kind, Status
from reports.plan import Placed

_ROWS_PER_INSERT = 400
_COLUMNS = (
    "id, root_id, parent_id, requested_by_id, position, kind, status, action, task, system_call, arguments, options,"
    " input_from, starts_with, children_total, dispatched_at, due_at, children_ok, tasks_total, tasks_ok, errors,"
    " attempts, retries, losses, publications, worker, error_code, error_type, error_message, error_traceback,"
    " error_task"
)
_DEFAULTS = "0, 0, 0, '[]', 0, 0, 0, 0, '', '', '', '', '', ''"


@dataclass(frozen=True, slots=True)
class Root:
    """What every report of a tree shares with its root."""

    id: UUID
    action: str
    requested_by: int | None


def insert(nodes: Iterable[Placed], root: Root, *, starting: UUID | None) -> list[Dispatch]:
    """Insert nodes of a tree; those that start with the report ``starting`` are dispatched, the others wait.

    Returns what is to be published once the transaction is committed.
    """
    row = f"({', '.join(['%s'] * 15)}, CASE WHEN %s THEN {now()} END, CASE WHEN %s THEN {later()} END, {_DEFAULTS})"
    head = f"INSERT INTO {TABLE} ({_COLUMNS}) VALUES "  # noqa: S608
    dispatches: list[Dispatch] = []
    empty_groups: list[Placed] = []
    for batch in _batches(nodes):
        execute(head + ", ".join([row] * len(batch)), [v for node in batch for v in _values(node, root, starting)])
        started = [node for node in batch if node.starts_with == starting]
        dispatches += [Dispatch(n.id, n.task, load(n.options) or {}) for n in started if n.kind == Kind.TASK]
        empty_groups += [n for n in started if n.kind != Kind.TASK and not n.children_total]
    for group in empty_groups:
        dispatches += finish_empty(group.id, group.parent)
    return dispatches


def _values(node: Placed, root: Root, starting: UUID | None) -> list[Any]:
    starts = node.starts_with == starting
    is_task = node.kind == Kind.TASK
    status = Status.RUNNING if starts and not is_task else Status.PENDING
    return [
        *(
            node.id,
            root.id,
            node.parent,
            root.requested_by,
            node.position,
            node.kind,
            status,
            root.action,
            node.task,
            True,
        ),
        *(node.arguments, node.options, node.input_from, node.starts_with, node.children_total),
        *(starts, starts and is_task, settings.RECOVERY_REPUBLISH_AFTER),
    ]


def _batches(nodes: Iterable[Placed]) -> Iterator[list[Placed]]:
    iterator = iter(nodes)
    while batch := list(islice(iterator, _ROWS_PER_INSERT)):
        yield batch
