"""Handing over: what starts, and what is finished with, when a report of a tree becomes ok or fails.

Whatever changes something here runs inside the transaction of the outcome it follows from, with the root locked first.
That order holds for every change of more than one report of a tree, so no two of them can wait for each other.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from reports.database import (
    TABLE,
    Answer,
    Row,
    as_uuid,
    ask,
    execute,
    fetch_all,
    fetch_one,
    for_update,
    has_status,
    later,
    now,
    seconds_since,
)
from reports.documents import load
from reports.endings import tell_ended
from reports.failure import Failure
from reports.models import FINAL, Kind, Status


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A task whose turn has come: what is published, once the transaction is committed."""

    id: UUID
    task: str
    options: dict[str, Any]


def lock(root: UUID) -> Status:
    """Lock a tree by its root and return the root's status. Raises LookupError for what is no root."""
    status, _ = lock_action(root)
    return status


def lock_action(root: UUID) -> tuple[Status, str]:
    """Lock a tree by its root and return the root's status, and its action. Raises LookupError for what is no root."""
    row = fetch_one(
        f"SELECT status, action FROM {TABLE} WHERE id = %s AND parent_id IS NULL {for_update()}",  # noqa: S608
        [root],
    )
    if row is None:
        raise LookupError(f"There is no report {root} of an action.")
    return Status(row[0]), row[1]


def start_root(root: UUID) -> None:
    """Have an action that is pending run from now on, and its time budget with it."""
    execute(starting_root("%s"), [root])


def starting_root(root: str) -> str:
    """Return SQL that does so for the root whose id an SQL expression gives."""
    return f"""
        UPDATE {TABLE} SET status = 'running', started_at = {now()},
            deadline_at = CASE WHEN time_budget IS NOT NULL THEN {later("time_budget")} END
        WHERE id = {root} AND {has_status("pending")}
        """  # noqa: S608


def finish_empty(group: UUID, parent: UUID) -> list[Dispatch]:
    """An empty group is ok as soon as it starts. Returns what is to be published."""
    return dispatch_started(_finish_empty(group, parent))


def count_ok(root: UUID, *, grown_by: int) -> Answer:
    """Lock a tree by counting one more task of it as ok. Returns the root's status and how many tasks it has."""
    return ask(
        f"""
        UPDATE {TABLE} SET tasks_ok = tasks_ok + 1, tasks_total = tasks_total + %s WHERE id = %s
        RETURNING status, tasks_total
        """,  # noqa: S608
        [grown_by, root],
    )


def count_child(parent: UUID, *, outcome_from: UUID) -> Answer:
    """Count one more child as ok in ``parent``, unless that is final."""
    return ask(
        f"""
        UPDATE {TABLE} SET
            children_ok = children_ok + 1,
            status = CASE WHEN children_ok + 1 = children_total THEN 'ok' ELSE status END,
            finished_at = CASE WHEN children_ok + 1 = children_total THEN {now()} END,
            outcome_from = CASE WHEN children_ok + 1 = children_total AND kind = 'chain' THEN %s END
        WHERE id = %s AND status IN ('pending', 'running')
        RETURNING root_id, parent_id, kind, children_ok, children_total, action, {seconds_since("started_at")}
        """,  # noqa: S608
        [outcome_from, parent],
    )


def advance(parent: UUID, *, outcome_from: UUID, counted: list[Row]) -> list[Dispatch]:
    """Go on where a child was counted as ok in ``parent``: start what comes next.

    ``outcome_from`` is the report that holds the child's result, ``counted`` what :func:`count_child` answered. Returns
    what is to be published.
    """
    return dispatch_started(_start_next(parent, outcome_from, counted))


def dispatch_started(rows: Iterable[Row]) -> list[Dispatch]:
    """Turn started reports into what is to be published; groups without members are finished on the way."""
    dispatches = []
    started = deque(rows)
    while started:
        id_, kind, task, options, children_total, parent = started.popleft()
        if kind == Kind.TASK:
            dispatches.append(Dispatch(as_uuid(id_), task, load(options) or {}))
        elif children_total == 0:
            started += _finish_empty(as_uuid(id_), as_uuid(parent))
    return dispatches


def _finish_empty(group: UUID, parent: UUID) -> list[Row]:
    execute(f"UPDATE {TABLE} SET status = 'ok', finished_at = {now()} WHERE id = %s", [group])  # noqa: S608
    return _start_next(parent, group, count_child(parent, outcome_from=group)())


def _start_next(parent: UUID, outcome_from: UUID, counted: list[Row]) -> list[Row]:
    while counted:
        root, grandparent, kind, children_ok, children_total, action, seconds = counted[0]
        if children_ok < children_total:
            return _start_child(as_uuid(root), parent, children_ok) if kind == Kind.CHAIN else []
        if kind == Kind.GROUP:
            outcome_from = parent
        if grandparent is None:
            tell_ended(parent, action=action, status=Status.OK, seconds=seconds)
            return []
        parent = as_uuid(grandparent)
        counted = count_child(parent, outcome_from=outcome_from)()
    return []


def _start_child(root: UUID, parent: UUID, position: int) -> list[Row]:
    """Start a chain's child at ``position`` and everything that starts with it."""
    return fetch_all(
        f"""
        UPDATE {TABLE} SET
            status = CASE WHEN kind = 'task' THEN 'pending' ELSE 'running' END,
            dispatched_at = {now()},
            due_at = CASE WHEN kind = 'task' THEN {later()} END
        WHERE root_id = %s AND status = 'pending'
            AND starts_with = (SELECT id FROM {TABLE} WHERE parent_id = %s AND position = %s)
        RETURNING id, kind, task, options, children_total, parent_id
        """,  # noqa: S608
        [settings.RECOVERY_REPUBLISH_AFTER, root, parent, position],
    )


def fail_tree(root: UUID, parent: UUID | None, *, failed: UUID, failure: Failure) -> None:
    """Pass a task's failure up to the root, and cancel what was never started.

    Tasks in flight go on and record their own outcome; nothing follows from it.
    """
    row: Row | None = None
    while parent is not None:
        row = fetch_one(
            f"""
            UPDATE {TABLE} SET status = 'failed', finished_at = {now()}, outcome_from = %s,
                error_code = %s, error_type = %s, error_message = %s, error_task = %s, error_retryable = %s
            WHERE id = %s AND status IN ('pending', 'running')
            RETURNING parent_id, action, {seconds_since("started_at")}
            """,  # noqa: S608
            [failed, *failure.columns(), parent],
        )
        parent = as_uuid(row[0]) if row and row[0] else None
    cancel_rest(root)
    _, action, seconds = row or (None, "", None)
    tell_ended(root, action=action, status=Status.FAILED, seconds=seconds)


def cancel_rest(root: UUID) -> None:
    """Cancel every report of a tree that waits, and every chain and group under way."""
    execute(
        f"""
        UPDATE {TABLE} SET status = 'cancelled', finished_at = {now()}, due_at = NULL
        WHERE root_id = %s AND (status = 'pending' OR status = 'running' AND kind <> 'task')
        """,  # noqa: S608
        [root],
    )


def is_final(status: str) -> bool:
    """Tell whether a report with this status is finished."""
    return status in FINAL
