"""Tasks that a worker was given and has no code for: given back for a while, then failed.

During a deploy old workers meet the tasks of new code, and new workers those of actions that are gone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import transaction

from reports.codes import UNKNOWN_TASK
from reports.database import TABLE, as_iso, as_uuid, execute, fetch_one, has_status, later, now
from reports.documents import load
from reports.failure import Failure
from reports.handover import fail_tree, is_final, lock

# Seconds until it is published again after the first refusal.
_FIRST_DELAY = 5.0
# Later on, half as long as it has been refused already: a worker that knows it gets it soon, and none is flooded.
_GROWTH = 0.5


@transaction.atomic
def refuse(id_: UUID, *, task: str) -> bool:
    """Give a pending task back for a worker that knows it; fail it after ``UNKNOWN_TASK_PATIENCE`` seconds of that.

    The time counts from the first refusal since its turn came, which is kept among the errors. A report that is not
    pending, or of another task, is left alone. Returns whether the task has failed.
    """
    refused = _read(id_, task)
    if refused is None:
        return False
    patience = timedelta(seconds=settings.UNKNOWN_TASK_PATIENCE)
    if refused.first_at is None:
        _give_back(refused, refused.errors_with(_failure_of(task)), delay=min(_FIRST_DELAY, patience.total_seconds()))
        return False
    refused_for = refused.now - refused.first_at
    if refused_for < patience:
        delay = max(_FIRST_DELAY, _GROWTH * refused_for.total_seconds())
        _give_back(refused, refused.errors, delay=min(delay, (patience - refused_for).total_seconds()))
        return False
    return _fail(refused, _failure_of(task))


@dataclass(frozen=True, slots=True)
class _Refused:
    id: UUID
    root: UUID
    parent: UUID
    attempts: int
    errors: list[dict[str, Any]]
    turn_at: datetime
    now: datetime

    @property
    def first_at(self) -> datetime | None:
        """When it was first refused since its turn came."""
        last = self.errors[-1] if self.errors else {}
        refused_at = _moment(last["failed_at"]) if last.get("code") == UNKNOWN_TASK else None
        return refused_at if refused_at and refused_at >= self.turn_at else None

    def errors_with(self, failure: Failure) -> list[dict[str, Any]]:
        # It is the attempt that could not begin.
        entry = failure.as_attempt(self.attempts + 1, started_at=None, failed_at=as_iso(self.now))
        return [*self.errors, entry][-settings.REPORT_MAX_ERRORS :]


def _read(id_: UUID, task: str) -> _Refused | None:
    row = fetch_one(
        f"""
        SELECT root_id, parent_id, attempts, errors, dispatched_at, not_before, {now()} FROM {TABLE}
        WHERE id = %s AND task = %s AND kind = 'task' AND {has_status("pending")} AND dispatched_at IS NOT NULL
            AND (not_before IS NULL OR not_before <= {now()})
        """,  # noqa: S608
        [id_, task],
    )
    if row is None:
        return None
    root, parent, attempts, errors, *moments, read_at = row
    turn_at = max(_moment(moment) for moment in moments if moment)
    return _Refused(id_, as_uuid(root), as_uuid(parent), attempts, load(errors), turn_at, _moment(read_at))


def _give_back(refused: _Refused, errors: list[dict[str, Any]], *, delay: float) -> None:
    # Only its publishing is put off: a worker that gets it meanwhile may claim it. There is no message of it any more,
    # so it counts as published once: nobody takes it for one whose message is on its way.
    execute(
        f"""
        UPDATE {TABLE} SET errors = %s, due_at = {later()},
            publications = CASE WHEN publications = 0 THEN 1 ELSE publications END
        WHERE id = %s AND {has_status("pending")} AND attempts = %s
        """,  # noqa: S608
        [orjson.dumps(errors).decode(), delay, refused.id, refused.attempts],
    )


def _fail(refused: _Refused, failure: Failure) -> bool:
    if is_final(lock(refused.root)):
        return False
    failed = execute(
        f"""
        UPDATE {TABLE} SET status = 'failed', finished_at = {now()}, due_at = NULL, errors = %s,
            error_code = %s, error_type = %s, error_message = %s, error_task = %s, error_retryable = %s
        WHERE id = %s AND {has_status("pending")} AND attempts = %s
        """,  # noqa: S608
        [
            orjson.dumps(refused.errors_with(failure)).decode(),
            *failure.columns(),
            refused.id,
            refused.attempts,
        ],
    )
    if failed:
        fail_tree(refused.root, refused.parent, failed=refused.id, failure=failure)
    return bool(failed)


def _failure_of(task: str) -> Failure:
    return Failure.unknown_task(task=task)


def _moment(value: datetime | str) -> datetime:
    kept = isinstance(value, str) and value.endswith("Z")  # among the errors; as_iso understands the database's own
    return datetime.fromisoformat(str(value) if kept else as_iso(value) or "")
