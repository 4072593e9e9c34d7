"""What waits for a worker, and what nobody takes care of: what an operator wants to know, not what recovery does.

Each question reads as many reports as wait or run, by an index of those alone: it is for now and then.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from reports.database import TABLE, fetch_all, fetch_one, later, now, seconds_since
from reports.documents import load

_MOST = 1_000_000  # to be counted


@dataclass(frozen=True, slots=True)
class Backlog:
    """Tasks of one name and with the same options that wait for a worker; ``waiting_for``: the longest, in seconds."""

    task: str
    options: dict[str, Any]
    number: int
    waiting_for: float


def find_backlogs(*, most: int = _MOST) -> list[Backlog]:
    """Return what waits for a worker: published, or to be published at once, and not claimed yet.

    A task that waits for its time has waited since that time. The longest wait comes first. Of the reports that wait,
    ``most`` are looked at.
    """
    since = "CASE WHEN not_before > dispatched_at THEN not_before ELSE dispatched_at END"
    rows = fetch_all(
        f"""
        SELECT task, options, COUNT(*), {seconds_since(f"MIN({since})")} FROM (
            SELECT task, options, not_before, dispatched_at FROM {TABLE}
            WHERE status = 'pending' AND due_at IS NOT NULL AND dispatched_at IS NOT NULL
                AND (not_before IS NULL OR not_before <= {now()})
            ORDER BY due_at LIMIT %s
        ) waiting
        GROUP BY task, options ORDER BY 4 DESC
        """,  # noqa: S608
        [most],
    )
    return [Backlog(task, load(options) or {}, number, float(waits)) for task, options, number, waits in rows]


def is_as_long_as(number: int) -> bool:
    """Tell whether ``number`` tasks or more wait for a worker. Reads no more of them than that."""
    row = fetch_one(f"SELECT 1 {_waiting()} LIMIT 1 OFFSET %s", [settings.RECOVERY_REPUBLISH_MAX, number - 1])
    return row is not None


def count_waiting(*, most: int) -> int:
    """Return how many tasks wait for a worker, of ``most``. Reads no more of them than that."""
    row = fetch_one(
        f"SELECT COUNT(*) FROM (SELECT 1 {_waiting()} LIMIT %s) found",  # noqa: S608
        [settings.RECOVERY_REPUBLISH_MAX, most],
    )
    return int(row[0]) if row else 0


def _waiting() -> str:
    # What is published is due again by then; much of what is scheduled is left out.
    return f"""
        FROM {TABLE} WHERE status = 'pending' AND due_at IS NOT NULL AND due_at <= {later()}
            AND (not_before IS NULL OR not_before <= {now()})
        """


def count_abandoned(seconds: float) -> int:
    """Return how many tasks run whose worker has not been heard of for so long; recovery has not rescued them."""
    return _count(f"status = 'running' AND kind = 'task' AND heartbeat_at < {later()}", -seconds)


def count_unpublished(seconds: float) -> int:
    """Return how many reports have been due for so long; recovery has not published them."""
    return _count(f"status = 'pending' AND due_at IS NOT NULL AND due_at < {later()}", -seconds)


def _count(condition: str, *parameters: Any) -> int:
    row = fetch_one(
        f"SELECT COUNT(*) FROM (SELECT 1 FROM {TABLE} WHERE {condition} LIMIT {_MOST}) found",  # noqa: S608
        parameters,
    )
    return int(row[0]) if row else 0
