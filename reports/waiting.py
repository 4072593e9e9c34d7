"""What waits and what is stuck: the questions that recovery asks, each served by one partial index.

Batches are MATERIALIZED: PostgreSQL may run a subquery several times, and one that skips what is locked gives other
rows each time, together more than its limit.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction

from reports.database import (
    TABLE,
    as_uuid,
    batches,
    execute,
    fetch_all,
    fetch_one,
    has_status,
    later,
    now,
    seconds_between,
    skip_locked,
)
from reports.documents import load
from reports.handover import Dispatch, is_final

_IDS_PER_UPDATE = 5000


@dataclass(frozen=True, slots=True)
class Stale:
    """A running attempt whose worker has not been heard of for a lease."""

    id: UUID
    task: str
    attempt: int
    losses: int
    worker: str


def take_due(limit: int) -> list[Dispatch]:
    """Take up to ``limit`` reports that are due for publishing, and put their next turn off at growing intervals.

    Due are: a schedule or retry delay that has passed, a publish that failed, and a message that nobody has claimed
    for so long that it may be lost. A message too many is harmless: only one of them is claimed.
    """
    doublings = 0
    while settings.RECOVERY_REPUBLISH_AFTER * 2**doublings < settings.RECOVERY_REPUBLISH_MAX:
        doublings += 1
    interval = f"CASE WHEN publications < {doublings} THEN %s * (1 << publications) ELSE %s END"
    rows = fetch_all(
        f"""
        WITH due AS MATERIALIZED (
            SELECT id FROM {TABLE} WHERE status = 'pending' AND due_at IS NOT NULL AND due_at <= {now()}
            ORDER BY due_at LIMIT %s {skip_locked()}
        )
        UPDATE {TABLE} SET due_at = {later(interval)}, publications = publications + 1
        WHERE id IN (SELECT id FROM due) AND {has_status("pending")}
        RETURNING id, task, options
        """,  # noqa: S608
        [limit, settings.RECOVERY_REPUBLISH_AFTER, settings.RECOVERY_REPUBLISH_MAX],
    )
    return [Dispatch(as_uuid(id_), task, load(options) or {}) for id_, task, options in rows]


def longest_waits() -> dict[str, float]:
    """Return, by the names of tasks, how many seconds those waited at most that have begun most lately.

    After their turn or time had come, in the queue that the task's name says.
    """
    rows = fetch_all(
        f"""
        SELECT task, MAX({seconds_between("COALESCE(not_before, dispatched_at)", "started_at")}) FROM {TABLE}
        WHERE status = 'running' AND kind = 'task' AND heartbeat_at >= {later()} AND started_at >= {later()}
            AND options IS NULL
        GROUP BY task
        """,  # noqa: S608
        [-settings.RECOVERY_LEASE, -settings.RECOVERY_LEASE],
    )
    return {task: float(seconds) for task, seconds in rows}


def put_off_waiting(limit: int, *, tasks: Collection[str], younger_than: float) -> int:
    """Put off up to ``limit`` reports that are due only because nobody has claimed them for a while.

    For queues that are long: the messages of these ``tasks``, by name, that are ``younger_than`` so many seconds are
    most likely in them. Not for what could not be published, was given back, or has been published again already.
    Returns how many.
    """
    if not tasks:
        return 0
    rows = fetch_all(
        f"""
        WITH due AS MATERIALIZED (
            SELECT id FROM {TABLE} WHERE status = 'pending' AND due_at IS NOT NULL AND due_at <= {now()}
                AND publications = 0 AND options IS NULL AND task IN ({_places(tasks)})
                AND {seconds_between("COALESCE(not_before, dispatched_at)", "due_at")} >= %s
                AND COALESCE(not_before, dispatched_at) > {later()}
            ORDER BY due_at LIMIT %s {skip_locked()}
        )
        UPDATE {TABLE} SET due_at = {later()} WHERE id IN (SELECT id FROM due) AND {has_status("pending")}
        RETURNING id
        """,  # noqa: S608
        [*tasks, settings.RECOVERY_REPUBLISH_AFTER - 0.01, -younger_than, limit, younger_than],
    )
    return len(rows)


def make_due(ids: Collection[UUID], *, in_seconds: float) -> None:
    """Have recovery publish what could not be published, ``in_seconds`` from now.

    It counts as published once: nobody takes it for one whose message is on its way.
    """
    for batch in batches(ids, _IDS_PER_UPDATE):
        execute(
            f"""
            WITH unpublished AS MATERIALIZED (
                SELECT id FROM {TABLE} WHERE id IN ({_places(batch)}) AND {has_status("pending")} {skip_locked()}
            )
            UPDATE {TABLE} SET due_at = {later()},
                publications = CASE WHEN publications = 0 THEN 1 ELSE publications END
            WHERE id IN (SELECT id FROM unpublished) AND {has_status("pending")}
            """,  # noqa: S608
            [*batch, in_seconds],
        )


def beat(ids: Collection[UUID], *, worker: str) -> list[UUID]:
    """Stamp a heartbeat on what ``worker``, by the beginning of its name, executes.

    Returns those whose action is final by now. One that is locked has to do without: its outcome is being recorded, or
    somebody stands still in the middle of it, and the others need theirs.
    """
    if not ids:
        return []
    rows = fetch_all(
        f"""
        UPDATE {TABLE} SET heartbeat_at = {now()} WHERE id IN (
            SELECT id FROM {TABLE} WHERE id IN ({_places(ids)}) AND {has_status("running")} AND kind = 'task'
                AND worker LIKE %s {skip_locked()}
        ) AND {has_status("running")}
        RETURNING id, (SELECT root.status FROM {TABLE} root WHERE root.id = {TABLE}.root_id)
        """,  # noqa: S608
        [*ids, f"{worker}%"],
    )
    return [as_uuid(id_) for id_, root_status in rows if is_final(root_status)]


@transaction.atomic
def take_stale(limit: int) -> list[Stale]:
    """Return up to ``limit`` running tasks whose heartbeat is older than a lease.

    They are stamped on the way, so that workers who ask side by side do not get the same ones.
    """
    rows = fetch_all(
        f"""
        WITH stale AS MATERIALIZED (
            SELECT id FROM {TABLE} WHERE status = 'running' AND kind = 'task' AND heartbeat_at < {later()}
            ORDER BY heartbeat_at LIMIT %s {skip_locked()}
        )
        UPDATE {TABLE} SET heartbeat_at = {now()}
        WHERE id IN (SELECT id FROM stale) AND {has_status("running")}
        RETURNING id, task, attempts, losses, worker
        """,  # noqa: S608
        [-settings.RECOVERY_LEASE, limit],
    )
    return [Stale(as_uuid(id_), *rest) for id_, *rest in rows]


def make_lost_due(*, tasks: Collection[str], older_than: float, limit: int) -> int:
    """Have recovery publish again what was published more than ``older_than`` seconds ago and never claimed.

    For a broker whose queues are empty: the messages of these ``tasks``, by name, can be nowhere. They are due since
    their turn came, so that nobody takes them for ones that only wait for long. Returns how many.
    """
    if not tasks:
        return 0
    # Twice as old each time: a message that waits in a worker's hand is in no queue either.
    age = "%s * (1 << CASE WHEN publications < 16 THEN publications ELSE 16 END)"
    rows = fetch_all(
        f"""
        WITH lost AS MATERIALIZED (
            SELECT id FROM {TABLE} WHERE status = 'pending' AND options IS NULL
                AND due_at > {now()} AND due_at <= {later()} -- not what is scheduled for later
                AND dispatched_at < {later(age)}
                AND (not_before IS NULL OR not_before < {later()})
                AND task IN ({_places(tasks)})
            ORDER BY due_at LIMIT %s {skip_locked()}
        )
        UPDATE {TABLE} SET due_at = COALESCE(not_before, dispatched_at)
        WHERE id IN (SELECT id FROM lost) AND {has_status("pending")}
        RETURNING id
        """,  # noqa: S608
        [settings.RECOVERY_REPUBLISH_MAX, -older_than, -older_than, *tasks, limit],
    )
    return len(rows)


def find_overdue(limit: int) -> list[UUID]:
    """Return up to ``limit`` actions whose deadline has passed."""
    rows = fetch_all(
        f"""
        SELECT id FROM {TABLE} WHERE status IN ('pending', 'running') AND deadline_at IS NOT NULL
            AND deadline_at <= {now()} ORDER BY deadline_at LIMIT %s
        """,  # noqa: S608
        [limit],
    )
    return [as_uuid(id_) for (id_,) in rows]


def find_lost(id_: UUID, *, worker: str) -> Stale | None:
    """Return the running attempt at this task of a worker, or part of one, whose name begins with ``worker``."""
    row = fetch_one(
        f"""
        SELECT id, task, attempts, losses, worker FROM {TABLE}
        WHERE id = %s AND {has_status("running")} AND kind = 'task' AND worker LIKE %s
        """,  # noqa: S608
        [id_, f"{worker}%"],
    )
    return Stale(id_, *row[1:]) if row else None


def _places(ids: Collection[object]) -> str:
    return ", ".join(["%s"] * len(ids))
