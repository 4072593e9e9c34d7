"""Show that nothing grows: MINUTES (30) of mixed load, RATE (80) actions and twice as many polls a second.

Starts a PostgreSQL, a Valkey, two web processes and two worker slots of its own. Prints a line for every half minute:
latencies in milliseconds, memory in MB, connections to the database, actions that are not final.
"""

import os
import sys
from dataclasses import astuple, dataclass
from statistics import median

import psutil

from benchmarks.alone import Alone, alone, put_together
from benchmarks.contestants import memory

MINUTES = float(os.environ.get("MINUTES", "30"))
RATE = float(os.environ.get("RATE", "80"))
WINDOW = 30.0  # seconds


@dataclass(frozen=True)
class Seen:
    """What half a minute came to. Memory is the largest of each kind of process."""

    submit_p50: float
    submit_p99: float
    poll_p50: float
    poll_p99: float
    web: float
    worker: float
    child: float
    valkey: float
    connections: float
    unfinished: float


def main() -> int:
    """Returns 0 where everything was accepted and answered."""
    with alone() as it:
        print(" ".join(f"{name:>11}" for name in Seen.__dataclass_fields__), flush=True)
        seen = []
        for _ in range(max(4, round(MINUTES * 60 / WINDOW))):
            seen.append(_look(it))
            print(" ".join(f"{value:11.1f}" for value in astuple(seen[-1])), flush=True)
    quarter = len(seen) // 4
    first, last = seen[quarter : 2 * quarter], seen[-quarter:]  # the first one warms up
    print("\nLast quarter over second quarter, medians:")
    for name in Seen.__dataclass_fields__:
        before, after = (median(getattr(window, name) for window in part) for part in (first, last))
        print(f"  {name:12} {before:9.1f} {after:9.1f}  {after / before if before else 1:6.2f}")
    return 0


def _look(it: Alone) -> Seen:
    submitted, polled = put_together(it.submissions(seconds=WINDOW, rate=RATE), it.polls(seconds=WINDOW, rate=2 * RATE))
    if set(submitted.statuses) != {"202"}:
        raise RuntimeError(f"Not everything was accepted: {submitted.statuses}")
    worker = memory(it.service.worker)
    connections, unfinished = it.service.manage(code=_LEDGER).split()
    return Seen(
        submitted.p50,
        submitted.p99,
        polled.p50,
        polled.p99,
        max(memory(it.service.web)["children"]),
        worker["main"][0],
        max(worker["children"]),
        psutil.Process(it.shared[1].pid).memory_info().rss / 1e6,
        float(connections),
        float(unfinished),
    )


_LEDGER = """
from django.db import connection
from reports.models import AsyncActionReport
with connection.cursor() as cursor:
    cursor.execute("SELECT COUNT(*) - 1 FROM pg_stat_activity WHERE datname = current_database()")
    print(cursor.fetchone()[0], AsyncActionReport.objects.filter(parent=None, finished_at=None).count())
"""

if __name__ == "__main__":
    sys.exit(main())
