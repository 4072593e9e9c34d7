"""Which workers there are, by what they say themselves: each writes one row of its own, again and again."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from reports.database import execute, fetch_all, later, now, seconds_since
from reports.documents import dump, load
from reports.models import Worker

_TABLE = Worker._meta.db_table  # noqa: SLF001  Django documents `_meta` as its API for this
_MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class KnownWorker:
    """A worker that has not said good-bye. ``silent_for`` is in seconds, by the database's clock."""

    name: str
    queues: list[str]
    processes: int
    silent_for: float

    @property
    def is_alive(self) -> bool:
        """Whether it was heard of within a lease: it works, and does recovery."""
        return self.silent_for < settings.RECOVERY_LEASE


def show_up(name: str, *, queues: Sequence[str], processes: int) -> None:
    """Say that a worker is there. One statement, for each worker and heartbeat interval."""
    execute(
        f"""
        INSERT INTO {_TABLE} (name, queues, processes, started_at, heartbeat_at)
        VALUES (%s, %s, %s, {now()}, {now()})
        ON CONFLICT (name) DO UPDATE SET
            queues = excluded.queues, processes = excluded.processes, heartbeat_at = excluded.heartbeat_at
        """,  # noqa: S608
        [name, dump(list(queues), limit=_MOST_BYTES, what="The queues of a worker"), processes],
    )


def leave(name: str) -> None:
    """Say that a worker has come to its end."""
    execute(f"DELETE FROM {_TABLE} WHERE name = %s", [name])  # noqa: S608


def forget_lost(older_than: float) -> None:
    """Delete the rows of workers that have not been heard of for ``older_than`` seconds."""
    execute(f"DELETE FROM {_TABLE} WHERE heartbeat_at < {later()}", [-older_than])  # noqa: S608


def list_known() -> list[KnownWorker]:
    """Return all workers that are there, or were lost a short time ago, in the order of their names."""
    rows = fetch_all(f"SELECT name, queues, processes, {seconds_since('heartbeat_at')} FROM {_TABLE} ORDER BY name")  # noqa: S608
    return [KnownWorker(name, load(queues), processes, float(silent)) for name, queues, processes, silent in rows]


def is_any_alive() -> bool:
    """Tell whether some worker does recovery."""
    rows = fetch_all(
        f"SELECT 1 FROM {_TABLE} WHERE heartbeat_at >= {later()} LIMIT 1",  # noqa: S608
        [-settings.RECOVERY_LEASE],
    )
    return bool(rows)
