"""How many wait and run at this moment: what monitoring asks every few seconds, in three statements with a bound.

Each is served by an index of those alone that wait, or run.
"""

from dataclasses import dataclass
from typing import Any

from reports.database import TABLE, fetch_all, now, seconds_since
from reports.documents import load

# Beyond so many, the numbers say "as many or more".
MOST_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """Tasks of one action and name, with the same options, that wait for a worker; ``longest`` is in seconds."""

    action: str
    task: str
    options: dict[str, Any]
    number: int
    longest: float


def count_waiting() -> list[Waiting]:
    """Return what waits for a worker: its turn and its time have come, and nobody has claimed it yet."""
    since = "CASE WHEN not_before > dispatched_at THEN not_before ELSE dispatched_at END"
    rows = fetch_all(
        f"""
        SELECT action, task, options, COUNT(*), {seconds_since("MIN(since)")} FROM (
            SELECT action, task, options, {since} AS since FROM {TABLE}
            WHERE status = 'pending' AND due_at IS NOT NULL AND dispatched_at IS NOT NULL
                AND (not_before IS NULL OR not_before <= {now()})
            LIMIT {MOST_COUNTED}
        ) waiting GROUP BY action, task, options
        """,  # noqa: S608
    )
    return [Waiting(action, task, load(options) or {}, n, float(longest)) for action, task, options, n, longest in rows]


def count_running() -> dict[str, int]:
    """Return how many tasks of each action run."""
    rows = fetch_all(
        f"""
        SELECT action, COUNT(*) FROM (
            SELECT action FROM {TABLE} WHERE status = 'running' AND kind = 'task' LIMIT {MOST_COUNTED}
        ) running GROUP BY action
        """,  # noqa: S608
    )
    return dict(rows)
