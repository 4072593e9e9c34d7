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
    return _insert(_Row(node, root, starts=node.starts_with == starting) for node in nodes)


def insert_trees(trees: Iterable[tuple[Iterable[Placed], Root]]) -> list[Dispatch]:
    """Insert the nodes of new trees, dispatched up to the first tasks. Returns what is to be published then."""
    return _insert(_Row(node, root, starts=node.starts_with == root.id) for nodes, root in trees for node in nodes)


@dataclass(frozen=True, slots=True)
class _Row:
    node: Placed
    root: Root
    starts: bool

    @property
    def is_task(self) -> bool:
        return self.node.kind == Kind.TASK

    def values(self) -> list[Any]:
        node, root = self.node, self.root
        status = Status.RUNNING if self.starts and not self.is_task else Status.PENDING
        return [
            *(node.id, root.id, node.parent, root.requested_by, node.position, node.kind, status, root.action),
            *(node.task, True, node.arguments, node.options, node.input_from, node.starts_with, node.children_total),
            *(self.starts, self.starts and self.is_task, settings.RECOVERY_REPUBLISH_AFTER),
        ]


def _insert(rows: Iterable[_Row]) -> list[Dispatch]:
    places = f"({', '.join(['%s'] * 15)}, CASE WHEN %s THEN {now()} END, CASE WHEN %s THEN {later()} END, {_DEFAULTS})"
    head = f"INSERT INTO {TABLE} ({_COLUMNS}) VALUES "  # noqa: S608
    dispatches: list[Dispatch] = []
    empty_groups: list[Placed] = []
    for batch in _batches(rows):
        execute(head + ", ".join([places] * len(batch)), [value for row in batch for value in row.values()])
        started = [row.node for row in batch if row.starts]
        dispatches += [Dispatch(n.id, n.task, load(n.options) or {}) for n in started if n.kind == Kind.TASK]
        empty_groups += [n for n in started if n.kind != Kind.TASK and not n.children_total]
    for group in empty_groups:
        dispatches += finish_empty(group.id, group.parent)
    return dispatches


def _batches(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, _ROWS_PER_INSERT)):
        yield batch
