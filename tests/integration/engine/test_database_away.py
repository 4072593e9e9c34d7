import time
from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from celery import group
from django.conf import settings
from django.db import connection, transaction

from reports.models import Status
from stack.postgres import Postgres
from tests.actions import canvases, journal, limits
from tests.integration.engine.engine import Engine
from tests.integration.engine.reference import evaluate

_OUTAGE = 4.0  # seconds


@pytest.fixture
def key() -> str:
    return uuid4().hex


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """The PostgreSQL server of the tests, there again after a test that ended it."""
    if settings.TEST_DATABASE != "postgres":
        pytest.skip("SQLite has no server that could be away.")
    server = request.getfixturevalue("postgres")
    yield server
    if not server.is_running:
        server.start()
    connection.close()


def _request_sleepers(engine: Engine, key: str, *, count: int, seconds: float) -> UUID:
    """Have some tasks that sleep side by side requested, and wait until the first ones do."""
    sleepers = [limits.sleep.si(seconds, key=f"{key}.{number}") for number in range(count)]
    root = engine.request(group(sleepers), canvases.signature_of(["work"], f"{key}.last"))
    engine.wait_until(lambda: len(journal.lines(key)) >= 2)
    return root


def _assert_ran_once(engine: Engine, root: UUID, key: str, *, count: int) -> None:
    engine.settle([root])
    report = engine.report(root)
    assert (report.status, report.error) == (Status.OK, None)
    assert report.tasks_ok == count + 1
    ran = journal.counts(key)
    assert ran == {".last ok": 1} | {f".{n} {what}": 1 for n in range(count) for what in ("begins", "ends")}
    assert all(task.attempts == 1 for task in engine.tasks(root))


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_what_ends_while_the_database_is_away_is_recorded(engine: Engine, server: Postgres, key: str, how: str) -> None:
    root = _request_sleepers(engine, key, count=4, seconds=1.5)
    connection.close()
    getattr(server, how)()
    engine.wait_until(lambda: len(journal.lines(key)) == 4)  # the first two have ended meanwhile
    time.sleep(_OUTAGE)
    assert len(journal.lines(key)) == 4
    server.start()
    _assert_ran_once(engine, root, key, count=4)


@pytest.mark.idle
def test_a_worker_is_not_thought_lost_because_the_database_was_away(engine: Engine, server: Postgres, key: str) -> None:
    for _ in range(2):
        engine.add_worker({"RECOVERY_LEASE": "2"}, processes=1)
    root = _request_sleepers(engine, key, count=2, seconds=3 * _OUTAGE)
    connection.close()
    server.stop()
    time.sleep(_OUTAGE)
    server.start()
    _assert_ran_once(engine, root, key, count=2)


def test_connections_that_break_again_and_again_lose_nothing(engine: Engine, server: Postgres, key: str) -> None:
    canvas = ["sequence", ["work"], ["group", ["work"], ["flaky", 1], ["grow", ["work"]]], ["work"]]
    roots = {engine.request(*canvases.plan_of(canvas, path)): path for path in (f"{key}.{n}" for n in range(50))}
    broken = 0
    with psycopg.connect(server.url("postgres"), autocommit=True) as administrator:
        while engine.is_busy(roots) and broken < 100:
            connection.close()
            broken += administrator.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'async_actions'"
            ).fetchone()[0]
            time.sleep(0.05)
    assert broken >= 30
    engine.settle(roots)
    ran = journal.counts("")
    for root, path in roots.items():
        expected = evaluate(canvas, path)
        assert engine.report(root).result == expected.value
        assert {line: n for line, n in ran.items() if line.startswith(f"{path}.")} == expected.lines


def test_a_database_that_is_busy_is_waited_for(engine: Engine, key: str) -> None:
    root = _request_sleepers(engine, key, count=2, seconds=1)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("LOCK TABLE reports_asyncactionreport IN EXCLUSIVE MODE")
        engine.wait_until(lambda: len(journal.lines(key)) == 4)
        time.sleep(_OUTAGE)
        assert len(journal.lines(key)) == 4
    _assert_ran_once(engine, root, key, count=2)
