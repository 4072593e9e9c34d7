"""A tree's rows on their way into the table."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from reports.database import TABLE, batches, execute, later, now
from reports.documents import load
from reports.handover import Dispatch, finish_empty
from reports.models import Kind
from reports.plan import Placed

_ROWS_PER_INSERT = 400
_COLUMNS = (
    "id, root_id, parent_id, requested_by_id, position, kind, action, task, arguments, options, input_from,"
    " starts_with, children_total, status, dispatched_at, due_at, system_call, children_ok, tasks_total, tasks_ok,"
    " errors, attempts, retries, losses, publications, worker, error_code, error_type, error_message, error_traceback,"
    " error_task"
)
_DEFAULTS = "TRUE, 0, 0, 0, '[]', 0, 0, 0, 0, '', '', '', '', '', ''"


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

    def values(self) -> list[Any]:
        node, root = self.node, self.root
        return [
            *(node.id, root.id, node.parent, root.requested_by, node.position, node.kind, root.action, node.task),
            *(node.arguments, node.options, node.input_from, node.starts_with, node.children_total),
            *([settings.RECOVERY_REPUBLISH_AFTER] if self.is_dispatched else []),
        ]

    @property
    def is_dispatched(self) -> bool:
        return self.starts and self.node.kind == Kind.TASK


def _insert(rows: Iterable[_Row]) -> list[Dispatch]:
    # What is the same in all rows of a kind is in the statement: its parameters are what costs the time.
    given = ", ".join(["%s"] * 13)
    waiting = f"({given}, 'pending', NULL, NULL, {_DEFAULTS})"
    dispatched = f"({given}, 'pending', {now()}, {later()}, {_DEFAULTS})"
    begun = f"({given}, 'running', {now()}, NULL, {_DEFAULTS})"
    dispatches: list[Dispatch] = []
    empty_groups: list[Placed] = []
    for batch in batches(rows, _ROWS_PER_INSERT):
        places = [dispatched if row.is_dispatched else begun if row.starts else waiting for row in batch]
        execute(
            f"INSERT INTO {TABLE} ({_COLUMNS}) VALUES {', '.join(places)}",  # noqa: S608
            [value for row in batch for value in row.values()],
        )
        started = [row.node for row in batch if row.starts]
        dispatches += [Dispatch(n.id, n.task, load(n.options) or {}) for n in started if n.kind == Kind.TASK]
        empty_groups += [n for n in started if n.kind != Kind.TASK and not n.children_total]
    for group in empty_groups:
        dispatches += finish_empty(group.id, group.parent)
    return dispatches
