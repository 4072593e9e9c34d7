"""What PostgreSQL's plans tell of the reports that a statement reads."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection

TABLE = "reports_asyncactionreport"


@dataclass(frozen=True)
class Reading:
    """How one statement reads the table: by which indexes, how many reports, and whether all there are."""

    indexes: frozenset[str]
    reports: int
    is_whole: bool


@contextmanager
def explaining(readings: list[Reading]) -> Iterator[None]:
    """Collect how each statement on the table reads it."""

    def explain(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001
        if TABLE in sql and not sql.startswith(("INSERT", "EXPLAIN")):
            with connection.cursor() as cursor:
                # Run twice, and the first time undone: it is the plan's own numbers that tell what was read.
                cursor.execute("SAVEPOINT explained")
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
                readings.append(_reading(cursor.fetchone()[0][0]["Plan"]))
                cursor.execute("ROLLBACK TO explained")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield


def _reading(plan: dict[str, Any]) -> Reading:
    scans = [node for node in _nodes(plan) if "Scan" in node["Node Type"]]
    of_table = [scan for scan in scans if scan.get("Relation Name") == TABLE]
    return Reading(
        indexes=frozenset(scan["Index Name"] for scan in scans if "Index Name" in scan),
        reports=round(
            sum((s["Actual Rows"] + s.get("Rows Removed by Filter", 0)) * s["Actual Loops"] for s in of_table)
        ),
        is_whole=any(scan["Node Type"] == "Seq Scan" for scan in of_table),
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
