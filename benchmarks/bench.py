"""`make bench`: compare this service with its alternatives, print the table, write ``results.json`` and its page.

``RESULTS`` names another file for the results; the page is left alone then. ``ONLY`` names what to measure.
"""

import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from benchmarks import measures, page
from benchmarks.field import prepared
from benchmarks.reach import Goal, goals
from benchmarks.rounds import Rounds, Spread
from benchmarks.sizes import Sizes, has_fsync, is_quick

_RESULTS = Path(os.environ.get("RESULTS", Path(__file__).parent / "results.json"))
_PACKAGES = ("django", "djangorestframework", "celery", "kombu", "django-celery-results", "psycopg", "granian", "redis")
_MEASURES = {
    "poll": measures.poll,
    "complete": measures.accept_and_complete,
    "idle": measures.be_idle,
    "group": measures.run_group,
    "memory": measures.remember,
}


def main() -> int:
    """Run what ONLY names, or everything. Returns 0, whether all is reached or not: the machine has its moods."""
    sizes = Sizes.chosen()
    only = os.environ.get("ONLY", " ".join(_MEASURES)).split()
    rounds = Rounds()
    began = time.monotonic()
    print("Preparing", flush=True)
    with prepared(sizes) as field:
        for what, times in (
            ("poll", sizes.rounds),
            ("complete", sizes.rounds),
            ("idle", sizes.groups),
            ("group", sizes.groups),
            ("memory", 1),
        ):
            for number in range(times if what in only else 0):
                print(f"{what}, round {number + 1} of {times}, after {time.monotonic() - began:.0f} s", flush=True)
                _MEASURES[what](field, rounds, sizes)
    table = [(goal, goal.seen(rounds)) for goal in goals(rounds)]
    _show(table)
    results = _document(sizes, rounds, table)
    _RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    if "RESULTS" not in os.environ:
        page.PAGE.write_text(page.written(page.PAGE.read_text(), results))
    return 0


def _show(table: list[tuple[Goal, Spread]]) -> None:
    print(f"\n{'':62} {'asked':>8} {'median':>8}  quartiles")
    for goal, seen in table:
        mark = {True: "✓", False: "✗", None: " "}[goal.is_reached(seen)]
        print(f"{mark} {goal.name:60} {goal.asked:>8} {seen.median:8.2f}  {seen.low:.2f} to {seen.high:.2f}")


def _document(sizes: Sizes, rounds: Rounds, table: list[tuple[Goal, Spread]]) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "quick": is_quick(),
        "fsync": has_fsync(),
        "sizes": vars(sizes),
        "machine": {
            "cores": os.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 1e9),
            "processor": _processor(),
            "system": f"{platform.system()} {platform.machine()}",
        },
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        "goals": {
            goal.name: {**seen.as_json(), "asked": goal.asked, "reached": goal.is_reached(seen)} for goal, seen in table
        },
        "values": {name: rounds.spread(name).as_json() for name in rounds.names()},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


if __name__ == "__main__":
    sys.exit(main())
