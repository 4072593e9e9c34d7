"""One attempt at a task, and the fence around it: whoever does not hold the latest one changes nothing."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

from reports.database import TABLE, as_iso, as_uuid, fetch_one, has_status, now
from reports.documents import load
from reports.errors import AttemptLostError
from reports.failure import Failure

# A task that was expanded is a chain from then on: its attempt is over.
FENCE = f"id = %s AND {has_status('running')} AND kind = 'task' AND attempts = %s"


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt at one task. ``args`` are its own; ``arguments_of`` puts what is handed over before them.

    ``handed`` is that as JSON text, but for a group's results, which are gathered by a query of their own. ``waited``
    is in seconds, since its turn and time had come; ``trace`` is the traceparent that it was requested with.
    """

    id: UUID
    root: UUID
    parent: UUID
    requested_by: int | None
    action: str
    task: str
    attempt: int
    retries: int
    input_from: UUID | None
    handed: str | None
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    waited: float = field(compare=False)
    trace: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that is under way, with the errors of those before it."""

    number: int
    root: UUID
    parent: UUID
    errors: list[dict[str, Any]]
    started_at: str | None
    read_at: str | None

    def errors_with(self, failure: Failure) -> str:
        entry = failure.as_attempt(self.number, started_at=self.started_at, failed_at=self.read_at)
        return orjson.dumps([*self.errors, entry][-settings.REPORT_MAX_ERRORS :]).decode()


def read_attempt(id_: UUID, attempt: int) -> Attempt:
    """Return an attempt that is under way. Raises AttemptLostError."""
    # Read before the root is locked: whoever changes the errors ends the attempt, which the guarded update notices.
    row = fetch_one(
        f"""
        SELECT root_id, parent_id, errors, started_at, {now()} FROM {TABLE}
        WHERE {FENCE}
        """,  # noqa: S608
        [id_, attempt],
    )
    if row is None:
        raise attempt_lost(id_, attempt)
    root, parent, errors, started_at, read_at = row
    return Attempt(attempt, as_uuid(root), as_uuid(parent), load(errors), as_iso(started_at), as_iso(read_at))


def refuse_lost(id_: UUID, attempt: int, changed: int) -> None:
    """Raise AttemptLostError where a guarded update has changed nothing."""
    if not changed:
        raise attempt_lost(id_, attempt)


def attempt_lost(id_: UUID, attempt: int) -> AttemptLostError:
    """Return the error of an attempt that is over."""
    return AttemptLostError(f"Attempt {attempt} of report {id_} is over: another one or a final state took its place.")
