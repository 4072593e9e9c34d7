"""The life of one attempt: claimed, then ok, expanded, failed or put off. Each is one guarded transaction.

The attempt number that a claim returns is the fence: whoever does not hold the latest one changes nothing.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from reports.attempts import FENCE, Claim, attempt_lost, read_attempt, refuse_lost
from reports.database import (
    TABLE,
    Answer,
    as_uuid,
    ask,
    execute,
    fetch_one,
    has_status,
    later,
    now,
    pipelined,
    seconds_since,
)
from reports.documents import dump, load
from reports.endings import tell_ended
from reports.errors import ActionCancelledError, PlanTooLargeError
from reports.failure import Failure
from reports.handover import (
    Dispatch,
    advance,
    cancel_rest,
    count_child,
    dispatch_started,
    fail_tree,
    is_final,
    lock,
    start_root,
    starting_root,
)
from reports.inputs import result_of
from reports.models import Status
from reports.plan import ChainNode, count_tasks, place
from reports.succession import succeed_at_once
from reports.traces import split_status, trace_in
from reports.tree import Root, insert


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
    """Return SQL by which the root runs from its first claim on. It is the first to be locked, as everywhere."""
    root = f"(SELECT root_id FROM {TABLE} WHERE id = %s AND task = %s AND kind = 'task' AND {_claimable()})"  # noqa: S608
    in_time = f"(deadline_at IS NULL OR deadline_at > {now()})"
    return f"WITH begun AS ({starting_root(root)} AND {in_time} RETURNING id)"


def arguments_of(claim: Claim) -> tuple[Any, ...]:
    """Return a claimed task's positional arguments: the result that is handed over to it first, then its own."""
    if claim.input_from is None:
        return claim.args
    return (load(claim.handed) if claim.handed is not None else result_of(claim.input_from), *claim.args)


def succeed(claim: Claim, result: Any) -> list[Dispatch]:
    """Record a task as ok with its result and hand over. Returns what is to be published: it is committed.

    Raises:
        AttemptLostError: the attempt was superseded; nothing changed.
        DocumentInvalidError, DocumentTooLargeError: ``result`` cannot be kept.

    """
    document = dump(result, limit=settings.REPORT_MAX_RESULT_BYTES, what=f"The result of {claim.task}")
    succession = succeed_at_once(claim, document)
    if succession is None:
        return _succeed_step_by_step(claim, document)
    if succession.root_status == Status.OK:  # by this task: below a root that was ok before, none is left to end
        tell_ended(claim.root, action=claim.action, status=Status.OK, seconds=succession.seconds)
    return dispatch_started(succession.started)


@transaction.atomic
def _succeed_step_by_step(claim: Claim, document: str) -> list[Dispatch]:
    with pipelined():
        _count_ok(claim.root, grown_by=0)
        recorded = _record_ok(claim, document)
        advanced = count_child(claim.parent, outcome_from=claim.id)
    refuse_lost(claim.id, claim.attempt, len(recorded()))
    return advance(claim.parent, outcome_from=claim.id, counted=advanced())


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
    answer = _count_ok(root, grown_by=by)()
    if not answer:
        raise LookupError(f"There is no report {root}.")
    [(status, total)] = answer
    if total > settings.REPORT_MAX_TASKS:
        raise PlanTooLargeError(f"The report would have {total:,} tasks; {settings.REPORT_MAX_TASKS:,} are allowed.")
    return Status(status)


def _count_ok(root: UUID, *, grown_by: int) -> Answer:
    """Lock a tree by counting one more task of it as ok. Returns the root's status and how many tasks it has."""
    return ask(
        f"""
        UPDATE {TABLE} SET tasks_ok = tasks_ok + 1, tasks_total = tasks_total + %s WHERE id = %s
        RETURNING status, tasks_total
        """,  # noqa: S608
        [grown_by, root],
    )


def _record_ok(claim: Claim, document: str) -> Answer:
    return ask(
        f"""
        UPDATE {TABLE} SET status = 'ok', result = %s, finished_at = {now()} WHERE {FENCE}
        RETURNING id
        """,  # noqa: S608
        [document, claim.id, claim.attempt],
    )
