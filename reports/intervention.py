"""What people do to an action from outside: cancel it, or have it resumed where it failed."""

from collections.abc import Sequence
from uuid import UUID

import orjson
from django.conf import settings
from django.db import transaction

from reports import unfinished
from reports.codes import EXPIRED, TIMED_OUT, retryable_by_code
from reports.database import TABLE, Row, as_bool, as_iso, execute, fetch_all, fetch_one, has_status, later, now
from reports.documents import load
from reports.endings import tell_ended
from reports.errors import ReportFinalError, ReportNotRetryableError
from reports.failure import Failure
from reports.handover import Dispatch, cancel_rest, dispatch_started, is_final, lock_action, start_root
from reports.models import Kind, Status
from reports.unfinished import Node

_IDS_PER_UPDATE = 500


@transaction.atomic
def cancel(root: UUID) -> None:
    """Make an action final as ``cancelled``: nothing more of it starts. Tasks in flight record their own outcome.

    Raises:
        LookupError: there is no such action.
        ReportFinalError: it is final already; nothing changed.

    """
    status, action = lock_action(root)
    if is_final(status):
        raise ReportFinalError(f"The action is {status.value} already; there is nothing to cancel.")
    cancel_rest(root)
    tell_ended(root, action=action, status=Status.CANCELLED)


@transaction.atomic
def resume(root: UUID) -> list[Dispatch]:
    """Have a failed or cancelled action go on at what is not ok. What is ok, or in flight, is left as it is.

    Every earlier error is kept. Returns what is to be published once the transaction is committed.

    Raises:
        LookupError: there is no such action.
        ReportNotRetryableError: it has not failed and was not cancelled; nothing changed.

    """
    status, action = lock_action(root)
    if status not in (Status.FAILED, Status.CANCELLED):
        raise ReportNotRetryableError(f"The action is {status.value}; only a failed or cancelled one is retried.")
    tree = unfinished.read(root)
    _count_retry(root)
    for node in unfinished.settle(tree):
        _record_ok(node)
    _reset(root)
    if tree.is_ok:
        tell_ended(root, action=action, status=Status.OK)
    if unfinished.is_in_flight(tree):
        start_root(root)
    return _start([node.id for node in unfinished.next_ones(tree) if node is not tree])


@transaction.atomic
def end_overdue(root: UUID) -> bool:
    """Fail an action whose deadline has passed: ``expired`` where it had not started, ``timed_out`` where it runs.

    Returns whether it was overdue.
    """
    status, action = lock_action(root)
    row = fetch_one(
        f"SELECT 1 FROM {TABLE} WHERE id = %s AND deadline_at <= {now()}",  # noqa: S608
        [root],
    )
    if is_final(status) or row is None:
        return False
    if status == Status.PENDING:
        code, message = EXPIRED, f"{action} had not started by its deadline."
    else:
        code, message = TIMED_OUT, f"{action} ran longer than its time budget."
    execute(
        f"""
        UPDATE {TABLE} SET status = 'failed', finished_at = {now()}, error_code = %s, error_type = 'ActionOverdueError',
            error_message = %s, error_retryable = %s
        WHERE id = %s
        """,  # noqa: S608
        [code, message, retryable_by_code(code), root],
    )
    cancel_rest(root)
    tell_ended(root, action=action, status=Status.FAILED)
    return True


def _count_retry(root: UUID) -> None:
    row = fetch_one(
        f"""
        SELECT errors, retries, started_at, finished_at, error_code, error_type, error_message, error_task,
            error_retryable
        FROM {TABLE} WHERE id = %s
        """,  # noqa: S608
        [root],
    )
    assert row is not None  # noqa: S101  it has just been locked
    errors, retries, started_at, finished_at, code, type_, message, task, retryable = row
    kept = load(errors)
    if code:
        failure = Failure(code, type_, message, task, "", as_bool(retryable))
        kept.append(failure.as_attempt(retries + 1, started_at=as_iso(started_at), failed_at=as_iso(finished_at)))
    execute(
        f"""
        UPDATE {TABLE} SET retries = retries + 1, errors = %s, progress = NULL, deadline_at = NULL WHERE id = %s
        """,  # noqa: S608
        [orjson.dumps(kept[-settings.REPORT_MAX_ERRORS :]).decode(), root],
    )


def _record_ok(node: Node) -> None:
    execute(
        f"""
        UPDATE {TABLE} SET status = 'ok', children_ok = children_total, finished_at = {now()}, outcome_from = %s,
            error_code = '', error_type = '', error_message = '', error_task = '', error_retryable = NULL
        WHERE id = %s
        """,  # noqa: S608
        [node.outcome_from if node.kind == Kind.CHAIN else None, node.id],
    )


def _reset(root: UUID) -> None:
    execute(
        f"""
        UPDATE {TABLE} SET
            status = 'pending', finished_at = NULL, not_before = NULL, due_at = NULL,
            dispatched_at = CASE WHEN parent_id IS NULL THEN {now()} END,
            outcome_from = NULL, losses = 0, publications = 0,
            started_at = CASE WHEN parent_id IS NOT NULL THEN started_at END,
            retries = CASE WHEN kind = 'task' THEN 0 ELSE retries END,
            error_code = '', error_type = '', error_message = '', error_task = '', error_traceback = '',
            error_retryable = NULL,
            children_ok = (
                SELECT COUNT(*) FROM {TABLE} child WHERE child.parent_id = {TABLE}.id AND child.status = 'ok'
            )
        WHERE root_id = %s AND status IN ('failed', 'cancelled')
        """,  # noqa: S608
        [root],
    )


def _start(ids: Sequence[UUID]) -> list[Dispatch]:
    started: list[Row] = []
    for first in range(0, len(ids), _IDS_PER_UPDATE):
        batch = ids[first : first + _IDS_PER_UPDATE]
        started += fetch_all(
            f"""
            UPDATE {TABLE} SET
                status = CASE WHEN kind = 'task' THEN 'pending' ELSE 'running' END,
                dispatched_at = {now()},
                due_at = CASE WHEN kind = 'task' THEN {later()} END
            WHERE id IN ({", ".join(["%s"] * len(batch))}) AND {has_status("pending")}
            RETURNING id, kind, task, options, children_total, parent_id
            """,  # noqa: S608
            [settings.RECOVERY_REPUBLISH_AFTER, *batch],
        )
    return dispatch_started(started)
