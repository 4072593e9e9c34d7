"""Handing over: a task's result is recorded, and what follows from it starts, all or nothing.

PostgreSQL gets two statements in one go: one locks the tree by its root, the other does all the rest, and sees what was
committed before the lock was there. They are one transaction, without a word of its own to begin and to commit: see
"implicit transactions" in PostgreSQL's documentation of pipelining. A hand-over takes half the processor time so, and
the task waits for one answer instead of two. What one statement cannot do goes step by step, as everything in SQLite.
"""

from functools import cache
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction

from reports.attempts import FENCE, Claim, refuse_lost
from reports.database import TABLE, Row, ask, has_status, later, now, pipelined, seconds_since
from reports.endings import tell_ended
from reports.handover import Dispatch, advance, count_child, count_ok, dispatch_started
from reports.models import Status


def hand_over(claim: Claim, document: str) -> list[Dispatch]:
    """Record a task as ok with its result, JSON text, and start what follows. Returns what is to be published.

    Raises:
        AttemptLostError: the attempt was superseded; nothing changed.

    """
    followed = _hand_over_at_once(claim, document) if connection.vendor == "postgresql" else None
    if followed is None:
        return _hand_over_step_by_step(claim, document)
    if followed.root_status == Status.OK:  # by this task: below a root that was ok before, none is left to end
        tell_ended(claim.root, action=claim.action, status=Status.OK, seconds=followed.seconds)
    return dispatch_started(followed.started)


@transaction.atomic
def _hand_over_step_by_step(claim: Claim, document: str) -> list[Dispatch]:
    with pipelined():
        count_ok(claim.root, grown_by=0)
        recorded = ask(
            f"UPDATE {TABLE} SET status = 'ok', result = %s, finished_at = {now()} WHERE {FENCE} RETURNING id",  # noqa: S608
            [document, claim.id, claim.attempt],
        )
        counted = count_child(claim.parent, outcome_from=claim.id)
    refuse_lost(claim.id, claim.attempt, len(recorded()))
    return advance(claim.parent, outcome_from=claim.id, counted=counted())


class _Followed(NamedTuple):
    """What a result has led to: the root's status and seconds, and what has started, as ``dispatch_started`` wants."""

    root_status: str
    seconds: float | None
    started: list[Row]


def _hand_over_at_once(claim: Claim, document: str) -> _Followed | None:
    """Do it by one statement. ``None``: nothing has changed.

    Then the attempt is over, or more follows than one statement can do: a parent ends that is not the root, or an empty
    group is next.
    """
    values = {
        "task": claim.id,
        "attempt": claim.attempt,
        "parent": claim.parent,
        "root": claim.root,
        "document": document,
        "patience": settings.RECOVERY_REPUBLISH_AFTER,
    }
    with pipelined():
        ask(f"SELECT id FROM {TABLE} WHERE id = %(root)s FOR UPDATE", values)  # noqa: S608
        answer = ask(_statement(below_root=claim.parent == claim.root), values)
    rows = answer()
    if not rows:
        return None
    status, seconds, *_ = rows[0]
    return _Followed(status, seconds, [row[2:] for row in rows if row[2] is not None])


@cache
def _statement(*, below_root: bool) -> str:
    return f"""
        WITH turn AS (
            SELECT child.id FROM {TABLE} parent
                JOIN {TABLE} child ON child.parent_id = parent.id AND child.position = parent.children_ok + 1
            WHERE parent.id = %(parent)s AND parent.kind = 'chain' AND {_open("parent.status")}
        ), recorded AS (
            UPDATE {TABLE} SET status = 'ok', result = %(document)s, finished_at = {now()}
            WHERE id = %(task)s AND {has_status("running")} AND kind = 'task' AND attempts = %(attempt)s
                AND NOT EXISTS (
                    SELECT 1 FROM {TABLE} WHERE starts_with = (SELECT id FROM turn) AND status = 'pending'
                    AND kind = 'group' AND children_total = 0
                )
                {"" if below_root else _parent_goes_on()}
            RETURNING id
        ), {_counted_in_root() if below_root else _counted_in_both()}, started AS (
            UPDATE {TABLE} SET status = CASE WHEN kind = 'task' THEN 'pending' ELSE 'running' END,
                dispatched_at = {now()}, due_at = CASE WHEN kind = 'task' THEN {later("%(patience)s")} END
            WHERE root_id = %(root)s AND status = 'pending' AND starts_with = (SELECT id FROM turn)
                AND EXISTS (SELECT 1 FROM recorded)
            RETURNING id, kind, task, options, children_total, parent_id
        )
        SELECT counted.status, counted.seconds, started.* FROM counted LEFT JOIN started ON TRUE
        """  # noqa: S608


def _counted_in_root() -> str:
    """The root counts the task and its child by one update, and may be ok by it."""
    last = f"{_open('status')} AND children_ok + 1 = children_total"
    return f"""
        counted AS (
            UPDATE {TABLE} SET tasks_ok = tasks_ok + 1,
                children_ok = CASE WHEN {_open("status")} THEN children_ok + 1 ELSE children_ok END,
                status = CASE WHEN {last} THEN 'ok' ELSE status END,
                finished_at = CASE WHEN {last} THEN {now()} ELSE finished_at END,
                outcome_from = CASE WHEN {last} THEN %(task)s ELSE outcome_from END
            WHERE id = %(root)s AND EXISTS (SELECT 1 FROM recorded)
            RETURNING status, {seconds_since("started_at")} AS seconds
        )
        """  # noqa: S608


def _counted_in_both() -> str:
    return f"""
        counted_in_parent AS (
            UPDATE {TABLE} SET children_ok = children_ok + 1
            WHERE id = %(parent)s AND EXISTS (SELECT 1 FROM recorded)
        ), counted AS (
            UPDATE {TABLE} SET tasks_ok = tasks_ok + 1
            WHERE id = %(root)s AND EXISTS (SELECT 1 FROM recorded)
            RETURNING status, {seconds_since("started_at")} AS seconds
        )
        """  # noqa: S608


def _parent_goes_on() -> str:
    return f"""
        AND EXISTS (
            SELECT 1 FROM {TABLE} WHERE id = %(parent)s AND {_open("status")} AND children_ok + 1 < children_total
        )
        """  # noqa: S608


def _open(status: str) -> str:
    return f"{status} IN ('pending', 'running')"
