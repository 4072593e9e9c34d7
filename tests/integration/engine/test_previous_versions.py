"""What a released version has written, today's code understands, and the other way round: tests/compat/README.md."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction
from django.utils.timezone import now

from reports.models import AsyncActionReport, Status
from services import actions
from tests.actions import journal
from tests.actions.canvases import signature_of
from tests.integration.engine.engine import Engine

pytestmark = pytest.mark.idle

VERSIONS = sorted((settings.BASE_DIR / "tests" / "compat").glob("*/"))
ALL = AsyncActionReport.objects
# What differs from one message to the next.
_OWN = {"id", "root_id", "origin", "correlation_id", "reply_to", "delivery_tag"}


@pytest.fixture(params=VERSIONS, ids=lambda version: version.name)
def version(request: pytest.FixtureRequest) -> Path:
    return request.param


def _insert(version: Path) -> None:
    """Insert the rows as that version did: what it names, and no column that has come since."""
    tables: dict[str, list[dict[str, Any]]] = json.loads((version / "rows.json").read_text())
    with transaction.atomic(), connection.cursor() as cursor:
        for table, rows in tables.items():
            for row in rows:
                columns = ", ".join(row)
                places = ", ".join(["%s"] * len(row))
                cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", _values(table, row))  # noqa: S608


def _values(table: str, row: dict[str, Any]) -> list[Any]:
    """Return a row's values as the database has them: SQLite keeps identifiers and moments in ways of its own."""
    values = []
    for column, value in row.items():
        if isinstance(value, list | dict) or (column == "result" and value is not None):
            values.append(json.dumps(value))
        elif connection.vendor == "sqlite" and isinstance(value, str) and column.endswith(("_at", "_before")):
            values.append(value.replace("T", " ").removesuffix("+00:00"))
        elif connection.vendor == "sqlite" and column in _UUIDS.get(table, ()) and value is not None:
            values.append(UUID(value).hex)
        else:
            values.append(value)
    return values


_UUIDS = {"reports_asyncactionreport": {"id", "root_id", "parent_id", "starts_with", "input_from", "outcome_from"}}


@pytest.fixture
def message(version: Path, engine: Engine) -> dict[str, Any]:
    """What that version has published, with its rows in the ledger, and the worker not there yet."""
    _insert(version)
    return json.loads((version / "message.json").read_text())


def test_an_action_goes_on_that_it_has_begun(message: dict[str, Any], engine: Engine) -> None:
    published = ALL.get(id=message["headers"]["id"])
    # So that it is the message that starts it; the other task waits for recovery.
    ALL.filter(id=published.id).update(due_at=now() + timedelta(days=1))
    with redis.Redis.from_url(engine.valkey.url()) as client:
        client.lpush(settings.TASK_DEFAULT_QUEUE, json.dumps(message))
    engine.start()
    engine.settle([published.root_id])
    report = engine.report(published.root_id)
    assert (report.status, report.tasks_ok, report.tasks_total) == (Status.OK, 4, 4)
    assert journal.counts("compat.1.0") == {" ok": 1}
    attempts = dict(ALL.filter(root_id=report.id, kind="task").values_list("arguments__kwargs__path", "attempts"))
    assert attempts == {"compat.0": 1, "compat.1.0": 1, "compat.1.1": 2, "compat.2": 1}


def test_an_action_is_read_and_resumed_that_has_failed(message: dict[str, Any], engine: Engine) -> None:
    [root] = ALL.filter(parent=None, status=Status.FAILED)
    report = engine.report(root.id)
    assert report.error is not None
    assert (report.error.code, report.error.task) == ("worker_lost", "canvases.work")
    engine.start()
    actions.retry(root.id)
    engine.settle([root.id])
    assert engine.report(root.id).status == Status.OK


def test_its_workers_understand_what_is_published_today(message: dict[str, Any], engine: Engine) -> None:
    engine.request(signature_of(["work"], "compat.today"))
    [raw] = engine.messages()
    today = json.loads(raw)
    assert _without_own(today) == _without_own(message)
    assert today["headers"]["id"] == today["headers"]["root_id"] == today["properties"]["correlation_id"]


def _without_own(message: dict[str, Any]) -> dict[str, Any]:
    parts = {
        name: {key: value for key, value in part.items() if key not in _OWN}
        for name, part in message.items()
        if isinstance(part, dict)
    }
    return {**message, **parts}
