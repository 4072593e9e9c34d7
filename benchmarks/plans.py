"""Show which index serves each statement of the ledger, with a million finished reports and 100,000 that wait.

Fills the empty PostgreSQL that DATABASE_URL names, runs the ledger's functions on it, asks for the plan of each
statement on the way, writes ``docs/indexes.md``, and fails where one reads the whole table, or a large part of it by an
index that does not serve it.
"""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from time import time
from typing import Any
from uuid import UUID

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from benchmarks.readings import TABLE, Reading, explaining  # noqa: E402
from reports import (  # noqa: E402
    acceptance,
    backlog,
    census,
    claiming,
    execution,
    intervention,
    matches,
    purging,
    repeats,
    selectors,
    statistics,
    timeline,
    waiting,
)
from reports.attempts import Claim  # noqa: E402
from reports.failure import Failure  # noqa: E402
from reports.models import Status, Verb  # noqa: E402
from reports.plan import ChainNode, GroupNode, TaskNode  # noqa: E402
from reports.search import Search  # noqa: E402
from reports.selectors import Report  # noqa: E402
from services import selection  # noqa: E402

FINISHED = int(os.environ.get("FINISHED", "1000000"))
WAITING = int(os.environ.get("WAITING", "100000"))
PAGE = Path(os.environ.get("PAGE", Path(__file__).resolve().parent.parent / "docs" / "indexes.md"))
HOUR = timedelta(hours=1)
LARGE_TREE = 10_000  # tasks of one action
TOO_MANY = (FINISHED + WAITING) // 4  # reports for one statement to read

ACTIONS = (FINISHED + WAITING) // 3  # of a root and two tasks; every thousandth has failed
FIRST = time() - ACTIONS  # when the first was asked for, and then one a second, up to now

# As in reality, an id tells when it was made, and what belongs together stands together in the order of ids.
_MAKE_ID = f"""
CREATE FUNCTION made_at(n int) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
$$ SELECT to_timestamp({FIRST} + n) $$;
CREATE FUNCTION make_id(n int, part int) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT (lpad(to_hex({int(FIRST * 1000)} + n * 1000::bigint), 12, '0')
    || '7' || lpad(to_hex(part), 3, '0') || '8000000000000000')::uuid $$
"""
_FILL = f"""
INSERT INTO {TABLE} (id, root_id, parent_id, position, kind, status, action, task, system_call,
    requested_by_id, idempotency_key, fingerprint, parameters, filters, arguments, starts_with, errors, attempts,
    retries, losses, publications, worker,
    error_code, error_type, error_message, error_traceback, error_task, children_total, children_ok, tasks_total,
    tasks_ok, result, created_at, dispatched_at, due_at, started_at, heartbeat_at, finished_at)
SELECT
    make_id(n, part), make_id(n, 0), CASE WHEN part > 0 THEN make_id(n, 0) END, greatest(part - 1, 0),
    CASE part WHEN 0 THEN 'chain' ELSE 'task' END,
    CASE WHEN waits THEN 'pending' WHEN n %% 1000 = 0 THEN 'failed' ELSE 'ok' END,
    'action-' || n %% 20, CASE part WHEN 0 THEN '' ELSE 'a.task' END, part > 0, 1 + n %% 10,
    CASE WHEN part = 0 AND n %% 2 = 0 THEN 'key-' || n END, CASE WHEN part = 0 AND n %% 2 = 0 THEN 'asks-' || n END,
    CASE part WHEN 0 THEN '{{"n": 1}}'::jsonb END,
    CASE WHEN part = 0 AND n %% 20 = 0 THEN jsonb_build_object('n', n %% 1000) END,
    CASE WHEN part > 0 THEN '{{"args": [1], "kwargs": {{}}}}'::jsonb END,
    CASE part WHEN 2 THEN make_id(n, 2) ELSE make_id(n, 0) END, '[]', 0, 0, 0, 0, '',
    CASE WHEN n %% 1000 = 0 AND NOT waits THEN 'code-' || n %% 7 ELSE '' END, '', '', '', '',
    CASE part WHEN 0 THEN 2 ELSE 0 END, CASE WHEN part = 0 AND NOT waits THEN 2 ELSE 0 END,
    CASE part WHEN 0 THEN 2 ELSE 0 END, 0, '1',
    made_at(n), CASE WHEN part < 2 THEN now() END,
    CASE WHEN waits AND part = 1 THEN now() + n * interval '1 minute' END,
    CASE WHEN NOT waits THEN made_at(n) END, CASE WHEN NOT waits AND part > 0 THEN made_at(n) END,
    CASE WHEN NOT waits THEN made_at(n + 1) END
FROM (SELECT n, n > %s AS waits FROM generate_series(1, %s) n) numbers, generate_series(0, 2) part
"""  # noqa: S608  nothing in it comes from outside


def task(name: str = "a.task") -> TaskNode:
    """Return a task without arguments."""
    return TaskNode(name, '{"args": [], "kwargs": {}}')


def fill_with_small_ones() -> None:
    """Insert the reports of actions of two tasks each, of ten clients, and have the planner know them."""
    for n in range(1, 11):
        get_user_model().objects.create(pk=n, username=f"client-{n}")
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_ID)
        cursor.execute(_FILL, [FINISHED // 3, ACTIONS])
        cursor.execute(f"VACUUM ANALYZE {TABLE}")


def fill() -> UUID:
    """Insert the reports and have the planner know them. Returns the root of the action that has many tasks."""
    fill_with_small_ones()
    large = ChainNode((GroupNode((task(),) * LARGE_TREE), task()))
    root, _ = acceptance.accept(action="action-1", plan=large, parameters={}, requested_by=1)
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {TABLE}")
    return root


def questions(large: UUID) -> dict[str, Callable[[], object]]:
    """Return what the service asks of the ledger, by name, in an order in which each finds what it needs."""
    plan = ChainNode((task(), task("b.task")))
    group = ChainNode((GroupNode((task(), task(), task())),))
    root, (first, *_) = acceptance.accept(action="action-1", plan=plan, parameters={}, requested_by=1)
    other, (broken, *_) = acceptance.accept(action="action-1", plan=plan, parameters={}, requested_by=1)
    _, (retried, growing, unpublished) = acceptance.accept(action="action-1", plan=group, parameters={}, requested_by=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT make_id(%s, 0), made_at(%s), extract(epoch FROM now() - made_at(%s))", [FINISHED // 6] * 3
        )
        page, moment, age = cursor.fetchone()
        cursor.execute("SELECT made_at(%s)", [FINISHED // 3 - 3600])
        (hour,) = cursor.fetchone()  # before the last of those that are finished were
    half = float(age)  # seconds since half of those that are finished were
    middle = selectors.list_tree(large, owner=1, limit=LARGE_TREE // 2)[-1].id
    batch = [report.id for report in selectors.list_roots(Search(owner=1), limit=500)]
    selected = selection.select(Verb.CANCEL, Search())
    claims: dict[UUID, Claim | None] = {}

    def claim(id_: UUID) -> None:
        claims[id_] = claiming.claim(id_, task="a.task", worker="w")

    def claimed(id_: UUID) -> Claim:
        held = claims[id_]
        assert held  # noqa: S101  asked in this order
        return held

    failure = Failure("code", "Type", "message", "a.task", "")
    return {
        "poll a report": lambda: selectors.find(root, owner=1),
        "find repeated requests": lambda: repeats.find(1, [f"key-{10 * number}" for number in range(1, 500)]),
        "read the reports of a batch": lambda: selectors.find_roots(batch, owner=1, longest_parameters=4096),
        "see whether a report has changed": lambda: selectors.find_outline(root, owner=1),
        "see which of 500 have changed": lambda: selectors.find_outlines(batch),
        "learn how long an action takes": lambda: selectors.list_earlier(_report(root), limit=50),
        "list own reports": _list,
        "list the next page": lambda: _list(after=page),
        "list the oldest first": lambda: _list(oldest_first=True),
        "list by action": lambda: _list(action="action-0"),
        "list by status": lambda: _list(statuses=(Status.FAILED,)),
        "list by both": lambda: _list(action="action-0", statuses=(Status.FAILED,)),
        "list by three statuses": lambda: _list(statuses=(Status.FAILED, Status.CANCELLED, Status.PENDING)),
        "list by an error's code": lambda: _list(error_code="code-0"),
        "list by a code that there is not": lambda: _list(error_code="code-9"),
        "list by a parameter": lambda: _list(action="action-0", filters={"n": 20}),
        "list by a parameter that no report has": lambda: _list(action="action-0", filters={"n": 21}),
        "list by key": lambda: _list(idempotency_key="key-10"),
        "list by time of creation": lambda: _list(created_after=moment, created_before=moment + HOUR),
        "list by time of the end": lambda: _list(finished_after=moment, finished_before=moment + HOUR),
        "list everybody's": lambda: _list(owner=None),
        "list everybody's failures": lambda: _list(owner=None, statuses=(Status.FAILED,)),
        "list everybody's by action": lambda: _list(owner=None, action="action-0"),
        "list everybody's by a status that no report has": lambda: _list(owner=None, statuses=(Status.CANCELLED,)),
        "list everybody's by an error's code": lambda: _list(owner=None, error_code="code-0"),
        "list everybody's by key": lambda: _list(owner=None, idempotency_key="key-10"),
        "list everybody's by time of creation": lambda: _list(
            owner=None, created_after=moment, created_before=moment + HOUR
        ),
        "list everybody's by a parameter": lambda: _list(owner=None, action="action-0", filters={"n": 20}),
        "count what operators would cancel": lambda: selection.count(selected),
        "take the next of what they cancel": lambda: matches.list_ids(selected, limit=500, after=page),
        "list the tasks of a report": lambda: selectors.list_tree(root, owner=1, limit=50),
        f"list the tasks of a report that has {LARGE_TREE:,}": lambda: selectors.list_tree(large, owner=1, limit=50),
        "list the next page of them": lambda: selectors.list_tree(large, owner=1, limit=50, after=middle),
        "claim": lambda: [claim(dispatch.id) for dispatch in (first, broken, retried, growing)],
        "report progress": lambda: execution.report_progress(claimed(first.id), {"current": 1}),
        "ask whether still wanted": lambda: execution.check(claimed(first.id)),
        "stamp heartbeats": lambda: waiting.beat([first.id], worker="w"),
        "find a lost task": lambda: waiting.find_lost(first.id, worker="w"),
        "succeed and hand over": lambda: execution.succeed(claimed(first.id), 1),
        "put off": lambda: execution.put_off(retried.id, 1, failure, delay=1),
        "expand": lambda: execution.expand(claimed(growing.id), plan),
        "fail": lambda: execution.fail(broken.id, 1, failure),
        "resume": lambda: intervention.resume(other),
        "cancel": lambda: intervention.cancel(other),
        "put off what could not be published": lambda: waiting.make_due([unpublished.id], in_seconds=-1),
        "take what is due": lambda: waiting.take_due(200),
        "find what a broker lost": lambda: waiting.make_lost_due(tasks=["a.task"], older_than=5, limit=2000),
        "find what is overdue": lambda: waiting.find_overdue(200),
        "end what is overdue": lambda: intervention.end_overdue(root),
        "take what is stale": lambda: waiting.take_stale(200),
        "tell how long tasks have waited": waiting.longest_waits,
        "put off what waits in a long queue": lambda: waiting.put_off_waiting(2000, tasks=["a.task"], younger_than=60),
        "tell whether there is room": lambda: backlog.is_as_long_as(1000),
        "tell what waits for a worker": backlog.find_backlogs,
        "show a timeline": lambda: timeline.list_steps(large, limit=200),
        "show the failed tasks of a timeline": lambda: timeline.list_steps(large, limit=200, statuses=(Status.FAILED,)),
        "count the tasks of a timeline": lambda: timeline.count_tasks(large),
        "find the action of a task": lambda: timeline.find_root(first.id),
        "show what is large of a report": lambda: (
            timeline.read_payloads(root, longest=1000),
            timeline.read_errors(root),
            timeline.read_traceback(root),
        ),
        "measure what ended in an hour": lambda: statistics.measure_finished(hour),
        "count what ended in an hour": lambda: statistics.count_finished(hour),
        "count what was accepted in an hour": lambda: statistics.count_accepted(hour),
        "group the failures of an hour": lambda: statistics.group_failures(hour),
        "tell what runs": statistics.list_running,
        "tell what is not rescued": lambda: backlog.count_abandoned(60),
        "tell what is not published": lambda: backlog.count_unpublished(60),
        "count what waits for a worker": census.count_waiting,
        "count what runs": census.count_running,
        "purge": lambda: purging.purge_batch(older_than=half),
        "purge one action": lambda: purging.purge_batch(older_than=half, action="action-1"),
    }


def _list(*, after: UUID | None = None, owner: int | None = 1, **search: Any) -> list[Report]:
    return selectors.list_roots(Search(owner=owner, **search), limit=50, after=after)


def _report(id_: UUID) -> Report:
    report = selectors.find_outline(id_, owner=None)
    assert report is not None  # noqa: S101  it was just accepted
    return report


def main() -> int:
    call_command("migrate", verbosity=0)
    large = fill()
    bad = 0
    lines = []
    # Nothing is kept: each statement is asked about, and run, inside a transaction that is undone.
    with transaction.atomic():
        for number, (name, ask) in zip(count(1), questions(large).items(), strict=False):
            readings: list[Reading] = []
            with explaining(readings):
                ask()
            used = ", ".join(f"`{index}`" for index in sorted(frozenset().union(*(r.indexes for r in readings))))
            most = max(reading.reports for reading in readings)
            is_bad = most > TOO_MANY or any(reading.is_whole for reading in readings)
            bad += is_bad
            lines.append(f"| {number} | {name} | {len(readings)} | {used} | {most:,} |")
            sys.stdout.write(f"{'BAD ' if is_bad else ''}{name}: {most:,} reports, {used}\n")
        transaction.set_rollback(True)
    PAGE.write_text(_page(lines))
    sys.stdout.write(f"{bad} read the table without an index that serves them.\n")
    return int(bad > 0)


def _page(lines: list[str]) -> str:
    return "\n".join(
        [
            "# Which index serves what",
            "",
            "Written by `make explain` from PostgreSQL's plans,",
            f"with {FINISHED:,} finished and {WAITING:,} waiting reports.",
            "Statements are those that read or change the table of reports, inserts aside;",
            "the last column is how many reports the one that reads most of them reads.",
            "",
            "| | question | statements | read by | reports read |",
            "|---|---|---|---|---|",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
