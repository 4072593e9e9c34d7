"""Show which index serves each statement of the ledger, with a million finished reports and 100,000 that wait.

Fills the empty PostgreSQL that DATABASE_URL names, runs the ledger's functions on it, asks for the plan of each
statement on the way, writes ``docs/indexes.md``, and fails where one reads the whole table.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from reports import acceptance, execution, intervention, purging, selectors, waiting  # noqa: E402
from reports.failure import Failure  # noqa: E402
from reports.models import Status  # noqa: E402
from reports.plan import ChainNode, TaskNode  # noqa: E402

FINISHED = int(os.environ.get("FINISHED", "1000000"))
WAITING = int(os.environ.get("WAITING", "100000"))
PAGE = Path(os.environ.get("PAGE", Path(__file__).resolve().parent.parent / "docs" / "indexes.md"))
TABLE = "reports_asyncactionreport"

# Actions of a root and two tasks: so many reports are a third as many actions. Every thousandth has failed.
_MAKE_ID = """
CREATE FUNCTION make_id(n int, part int) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT ('01900000-' || lpad(to_hex(n / 65536), 4, '0') || '-7' || lpad(to_hex(part), 3, '0') || '-8000-'
    || lpad(to_hex(n), 12, '0'))::uuid $$
"""
_FILL = f"""
INSERT INTO {TABLE} (id, root_id, parent_id, position, kind, status, action, task, system_call,
    requested_by_id, parameters, arguments, starts_with, errors, attempts, retries, losses, publications, worker,
    error_code, error_type, error_message, error_traceback, error_task, children_total, children_ok, tasks_total,
    tasks_ok, result, created_at, dispatched_at, due_at, started_at, heartbeat_at, finished_at)
SELECT
    make_id(n, part), make_id(n, 0), CASE WHEN part > 0 THEN make_id(n, 0) END, greatest(part - 1, 0),
    CASE part WHEN 0 THEN 'chain' ELSE 'task' END,
    CASE WHEN waits THEN 'pending' WHEN n %% 1000 = 0 THEN 'failed' ELSE 'ok' END,
    'action-' || n %% 20, CASE part WHEN 0 THEN '' ELSE 'a.task' END, part > 0, 1 + n %% 10,
    CASE part WHEN 0 THEN '{{"n": 1}}'::jsonb END, CASE WHEN part > 0 THEN '{{"args": [1], "kwargs": {{}}}}'::jsonb END,
    CASE part WHEN 2 THEN make_id(n, 2) ELSE make_id(n, 0) END, '[]', 0, 0, 0, 0, '', '', '', '', '', '',
    CASE part WHEN 0 THEN 2 ELSE 0 END, CASE WHEN part = 0 AND NOT waits THEN 2 ELSE 0 END,
    CASE part WHEN 0 THEN 2 ELSE 0 END, 0, '1',
    now() - n * interval '1 second', CASE WHEN part < 2 THEN now() END,
    CASE WHEN waits AND part = 1 THEN now() + n * interval '1 minute' END,
    CASE WHEN NOT waits THEN now() - n * interval '1 second' END,
    CASE WHEN NOT waits AND part > 0 THEN now() - n * interval '1 second' END,
    CASE WHEN NOT waits THEN now() - n * interval '1 second' END
FROM (SELECT n, n > %s AS waits FROM generate_series(1, %s) n) numbers, generate_series(0, 2) part
"""  # noqa: S608  nothing in it comes from outside


def fill() -> None:
    """Insert the reports and have the planner know them."""
    for n in range(1, 11):
        get_user_model().objects.create(pk=n, username=f"client-{n}")
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_ID)
        cursor.execute(_FILL, [FINISHED // 3, FINISHED // 3 + WAITING // 3])
        cursor.execute(f"VACUUM ANALYZE {TABLE}")


@contextmanager
def explaining(plans: list[list[str]]) -> Iterator[None]:
    """Collect, for each statement on the table, how the planner would read the table."""

    def explain(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001
        if TABLE in sql and not sql.startswith(("INSERT", "EXPLAIN")):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
                plans.append(sorted(set(_scans(cursor.fetchone()[0][0]["Plan"]))))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield


def _scans(plan: dict[str, Any]) -> Iterator[str]:
    if "Index Name" in plan:
        yield plan["Index Name"]
    elif plan.get("Relation Name") == TABLE and plan["Node Type"] not in ("ModifyTable", "Bitmap Heap Scan"):
        yield f"{plan['Node Type']} of the table"
    for part in plan.get("Plans", ()):
        yield from _scans(part)


def questions() -> dict[str, Callable[[], object]]:
    """Return what the service asks of the ledger, by name, in an order in which each finds what it needs."""
    plan = ChainNode(
        (TaskNode("a.task", '{"args": [], "kwargs": {}}'), TaskNode("b.task", '{"args": [], "kwargs": {}}'))
    )
    root, (first, *_) = acceptance.accept(action="action-1", plan=plan, parameters={}, requested_by=1)
    other, (broken, *_) = acceptance.accept(action="action-1", plan=plan, parameters={}, requested_by=1)
    page = UUID("01900000-0001-7000-8000-000000010000")
    claims: dict[UUID, execution.Claim | None] = {}

    def claim(id_: UUID) -> None:
        claims[id_] = execution.claim(id_, task="a.task", worker="w")

    def claimed(id_: UUID) -> execution.Claim:
        held = claims[id_]
        assert held  # noqa: S101  asked in this order
        return held

    failure = Failure("code", "Type", "message", "a.task", "")
    return {
        "poll a report": lambda: selectors.find(root, owner=1),
        "list own reports": lambda: selectors.list_roots(owner=1, limit=50),
        "list the next page": lambda: selectors.list_roots(owner=1, limit=50, before=page),
        "list by action": lambda: selectors.list_roots(owner=1, limit=50, action="action-0"),
        "list by status": lambda: selectors.list_roots(owner=1, limit=50, status=Status.FAILED),
        "list the tasks of a report": lambda: selectors.list_tree(root, owner=1, limit=50),
        "claim": lambda: (claim(first.id), claim(broken.id)),
        "report progress": lambda: execution.report_progress(claimed(first.id), {"current": 1}),
        "ask whether still wanted": lambda: execution.check(claimed(first.id)),
        "stamp heartbeats": lambda: waiting.beat([first.id], worker="w"),
        "succeed and hand over": lambda: execution.succeed(claimed(first.id), 1),
        "fail": lambda: execution.fail(broken.id, 1, failure),
        "resume": lambda: intervention.resume(other),
        "cancel": lambda: intervention.cancel(other),
        "take what is due": lambda: waiting.take_due(200),
        "find what is overdue": lambda: waiting.find_overdue(200),
        "take what is stale": lambda: waiting.take_stale(200),
        "purge": lambda: purging.purge_batch(older_than=30 * 24 * 3600.0),
    }


def main() -> int:
    call_command("migrate", verbosity=0)
    fill()
    bad = 0
    lines = []
    # Nothing is kept: each statement is asked about, and run, inside a transaction that is undone.
    with transaction.atomic():
        for number, (name, ask) in zip(count(1), questions().items(), strict=False):
            plans: list[list[str]] = []
            with explaining(plans):
                ask()
            used = sorted({scan for scans in plans for scan in scans})
            whole = [scan for scan in used if scan.endswith("of the table")]
            bad += bool(whole)
            lines.append(f"| {number} | {name} | {len(plans)} | {', '.join(f'`{scan}`' for scan in used)} |")
            sys.stdout.write(f"{'BAD ' if whole else ''}{name}: {', '.join(used)}\n")
        transaction.set_rollback(True)
    PAGE.write_text(_page(lines))
    sys.stdout.write(f"{bad} read the whole table.\n")
    return int(bad > 0)


def _page(lines: list[str]) -> str:
    return "\n".join(
        [
            "# Which index serves what",
            "",
            "Written by `make explain` from PostgreSQL's plans,",
            f"with {FINISHED:,} finished and {WAITING:,} waiting reports.",
            "Statements are those that read or change the table of reports, inserts aside.",
            "",
            "| | question | statements | read by |",
            "|---|---|---|---|",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
