"""One attempt at a task, and the fence around it: whoever does not hold the latest one changes nothing."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

from reports.database import TABLE, as_iso, as_uuid, fetch_one, now
from reports.documents import load
from reports.errors import AttemptLostError
from reports.failure import Failure

# A task that was expanded is a chain from then on: its attempt is over.
FENCE = "id = %s AND status = 'running' AND kind = 'task' AND attempts = %s"


@dataclass(frozen=True, slots=True)
class Attempt:
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
