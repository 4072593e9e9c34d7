"""Claiming: of all who are told that a task's turn has come, one becomes the one that executes it."""

from typing import Any
from uuid import UUID

from django.db import connection

from reports.attempts import Claim
from reports.database import TABLE, as_uuid, fetch_one, has_status, now, seconds_since
from reports.documents import load
from reports.handover import start_root, starting_root
from reports.inputs import result_of
from reports.models import Status
from reports.traces import split_status, trace_in


def claim(id_: UUID, *, task: str, worker: str, again: bool = False) -> Claim | None:
    """Make ``worker`` the one that executes a pending task whose turn and time have come.

    ``again`` is for a worker that got no answer to its first try: it gets the claim that it may have made unheard.
    Returns ``None`` for everything else: a duplicate message, one for a report that is unknown, final, not yet due, or
    of another task.
    """
    turn = "CASE WHEN not_before > dispatched_at THEN not_before ELSE dispatched_at END"
    unheard = f"OR {has_status('running')} AND worker = %s" if again else ""
    begun = _begun() if connection.vendor == "postgresql" else ""
    row = fetch_one(
        f"""
        {begun}
        UPDATE {TABLE} SET status = 'running', attempts = attempts + CASE WHEN status = 'pending' THEN 1 ELSE 0 END,
            worker = %s, started_at = {now()}, heartbeat_at = {now()}, due_at = NULL, progress = NULL
        WHERE id = %s AND task = %s AND kind = 'task'
            AND ({_claimable()} {unheard})
            AND NOT EXISTS (
                SELECT 1 FROM {TABLE} root WHERE root.id = {TABLE}.root_id
                AND {has_status("pending", "root.status")} AND root.deadline_at <= {now()}
            )
            {"AND (SELECT COUNT(*) FROM begun) >= 0" if begun else ""}
        RETURNING root_id, parent_id, requested_by_id, action, attempts, retries, arguments, input_from,
            {seconds_since(turn)},
            (SELECT root.status || COALESCE(CAST(root.options AS text), '') FROM {TABLE} root
                WHERE root.id = {TABLE}.root_id),
            (SELECT CASE WHEN held.kind <> 'group' THEN held.result END FROM {TABLE} asked
                JOIN {TABLE} held ON held.id = COALESCE(asked.outcome_from, asked.id)
                WHERE asked.id = {TABLE}.input_from)
        """,  # noqa: S608
        [*([id_, task] if begun else []), worker, id_, task, *([worker] if again else [])],
    )
    if row is None:
        return None
    root, parent, requested_by, action, attempt, retries, arguments, input_from, waited, of_root, handed = row
    root_status, options = split_status(of_root)
    if root_status == Status.PENDING and not begun:
        # The root runs from its first claim on. Dying right before this leaves it pending until the next claim: a
        # deadline may then take it for one that has not started.
        start_root(as_uuid(root))
    own = load(arguments)
    return Claim(
        id=id_,
        root=as_uuid(root),
        parent=as_uuid(parent),
        requested_by=requested_by,
        action=action,
        task=task,
        attempt=attempt,
        retries=retries,
        input_from=as_uuid(input_from) if input_from else None,
        handed=handed,
        args=tuple(own["args"]),
        kwargs=own["kwargs"],
        waited=max(0.0, float(waited)),
        trace=trace_in(options),
    )


def _claimable() -> str:
    return f"{has_status('pending')} AND dispatched_at IS NOT NULL AND (not_before IS NULL OR not_before <= {now()})"


def _begun() -> str:
    """Return SQL by which the root runs from its first claim on.

    The claim has to refer to it, or PostgreSQL would do it last: whoever locks more of a tree locks the root first.
    """
    root = f"(SELECT root_id FROM {TABLE} WHERE id = %s AND task = %s AND kind = 'task' AND {_claimable()})"  # noqa: S608
    in_time = f"(deadline_at IS NULL OR deadline_at > {now()})"
    return f"WITH begun AS ({starting_root(root)} AND {in_time} RETURNING id)"


def arguments_of(claim: Claim) -> tuple[Any, ...]:
    """Return a claimed task's positional arguments: the result that is handed over to it first, then its own."""
    if claim.input_from is None:
        return claim.args
    return (load(claim.handed) if claim.handed is not None else result_of(claim.input_from), *claim.args)
