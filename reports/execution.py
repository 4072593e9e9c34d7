"""The life of one attempt: claimed, then ok, expanded, failed or put off. Each is one guarded transaction.

The attempt number that a claim returns is the fence: whoever does not hold the latest one changes nothing.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from reports.attempts import FENCE, Claim, attempt_lost, read_attempt, refuse_lost
from reports.database import (
    TABLE,
    execute,
    fetch_one,
    has_status,
    later,
    now,
)
from reports.documents import dump
from reports.errors import ActionCancelledError, PlanTooLargeError
from reports.failure import Failure
from reports.handover import (
    Dispatch,
    cancel_rest,
    count_ok,
    fail_tree,
    is_final,
    lock,
)
from reports.models import Status
from reports.plan import ChainNode, count_tasks, place
from reports.succession import hand_over
from reports.tree import Root, insert


def succeed(claim: Claim, result: Any) -> list[Dispatch]:
    """Record a task as ok with its result and hand over. Returns what is to be published: it is committed.

    Raises:
        AttemptLostError: the attempt was superseded; nothing changed.
        DocumentInvalidError, DocumentTooLargeError: ``result`` cannot be kept.

    """
    return hand_over(claim, dump(result, limit=settings.REPORT_MAX_RESULT_BYTES, what=f"The result of {claim.task}"))


@transaction.atomic
def expand(claim: Claim, plan: ChainNode) -> list[Dispatch]:
    """Turn a task that returned signatures into a chain of them, and start it.

    Returns what is to be published once this is committed. The flow goes on when the new chain is ok.

    Raises:
        AttemptLostError: the attempt was superseded; nothing changed.
        PlanTooLargeError: the report would have more tasks than ``REPORT_MAX_TASKS``.

    """
    root_status = _grow(claim.root, by=count_tasks(plan))
    changed = execute(
        f"""
        UPDATE {TABLE} SET kind = 'chain', children_total = %s WHERE {FENCE}
        """,  # noqa: S608
        [len(plan.children), claim.id, claim.attempt],
    )
    refuse_lost(claim.id, claim.attempt, changed)
    nodes = place(plan, claim.id)
    root = Root(claim.root, claim.action, claim.requested_by)
    if is_final(root_status):
        # Kept all the same, so that a retry of the action goes on from here and does not expand it again.
        insert(nodes, root, starting=None)
        cancel_rest(claim.root)
        return []
    return insert(nodes, root, starting=claim.id)


@transaction.atomic
def fail(id_: UUID, attempt: int, failure: Failure) -> None:
    """Record a task as failed, pass the failure up to the root, and cancel what was never started.

    Raises:
        AttemptLostError: the attempt was superseded; nothing changed.

    """
    failed = read_attempt(id_, attempt)
    root_status = lock(failed.root)
    changed = execute(
        f"""
        UPDATE {TABLE} SET status = 'failed', finished_at = {now()}, errors = %s,
            error_code = %s, error_type = %s, error_message = %s, error_task = %s, error_retryable = %s,
            error_traceback = %s
        WHERE {FENCE}
        """,  # noqa: S608
        [failed.errors_with(failure), *failure.columns(), failure.traceback, id_, attempt],
    )
    refuse_lost(id_, attempt, changed)
    if not is_final(root_status):
        fail_tree(failed.root, failed.parent, failed=id_, failure=failure)


@transaction.atomic
def put_off(id_: UUID, attempt: int, failure: Failure, *, delay: float, lost: bool = False) -> None:
    """Send a task whose attempt failed back to wait ``delay`` seconds for its next one.

    ``lost`` counts the attempt as lost with its worker, not as a retry of the task's policy. Under a root that is final
    nothing waits any more: the task is cancelled.

    Raises:
        AttemptLostError: the attempt was superseded; nothing changed.

    """
    failed = read_attempt(id_, attempt)
    errors = failed.errors_with(failure)
    if is_final(lock(failed.root)):
        changed = execute(
            f"""
            UPDATE {TABLE} SET status = 'cancelled', finished_at = {now()}, errors = %s
            WHERE {FENCE}
            """,  # noqa: S608
            [errors, id_, attempt],
        )
    else:
        changed = execute(
            f"""
            UPDATE {TABLE} SET status = 'pending', errors = %s, retries = retries + %s, losses = losses + %s,
                publications = 0, not_before = {later()}, due_at = {later()}
            WHERE {FENCE}
            """,  # noqa: S608
            [errors, int(not lost), int(lost), delay, delay, id_, attempt],
        )
    refuse_lost(id_, attempt, changed)


def report_progress(claim: Claim, progress: dict[str, Any]) -> None:
    """Show how far an attempt has come, in its own report and in the root's.

    Raises:
        AttemptLostError: the attempt was superseded; nothing changed.
        DocumentInvalidError, DocumentTooLargeError: ``progress`` cannot be kept.

    """
    document = dump(progress, limit=settings.REPORT_MAX_PROGRESS_BYTES, what=f"The progress of {claim.task}")
    changed = execute(
        f"UPDATE {TABLE} SET progress = %s WHERE {FENCE}",  # noqa: S608
        [document, claim.id, claim.attempt],
    )
    refuse_lost(claim.id, claim.attempt, changed)
    execute(
        f"UPDATE {TABLE} SET progress = %s WHERE id = %s AND status IN ('pending', 'running')",  # noqa: S608
        [document, claim.root],
    )


def check(claim: Claim) -> None:
    """Do nothing as long as an attempt is wanted.

    Raises:
        ActionCancelledError: its action is final: nothing will be made of its result.
        AttemptLostError: it was superseded.

    """
    row = fetch_one(
        f"""
        SELECT root.status FROM {TABLE} task JOIN {TABLE} root ON root.id = task.root_id
        WHERE task.id = %s AND {has_status("running", "task.status")} AND task.kind = 'task' AND task.attempts = %s
        """,  # noqa: S608
        [claim.id, claim.attempt],
    )
    if row is None:
        raise attempt_lost(claim.id, claim.attempt)
    if is_final(row[0]):
        raise ActionCancelledError(f"{claim.action} is {row[0]}; {claim.task} is not wanted any more.")


def _grow(root: UUID, *, by: int) -> Status:
    """Lock a tree by counting one more task of it as ok, and ``by`` more that are to be. Returns the root's status."""
    answer = count_ok(root, grown_by=by)()
    if not answer:
        raise LookupError(f"There is no report {root}.")
    [(status, total)] = answer
    if total > settings.REPORT_MAX_TASKS:
        raise PlanTooLargeError(f"The report would have {total:,} tasks; {settings.REPORT_MAX_TASKS:,} are allowed.")
    return Status(status)
