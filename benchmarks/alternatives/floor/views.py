"""One statement and one message, with nothing around them: no authentication, no validation, no owner."""

from uuid import UUID

import orjson
from celery import chain, current_app
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from uuid_utils.compat import uuid7

from benchmarks.alternatives.floor.tasks import noop

_SELECT = """
SELECT id, action, status, tasks_total, tasks_ok, created_at, started_at, finished_at, parameters, result
FROM report WHERE id = %s
"""
_INSERT = """
INSERT INTO report
    (id, root_id, parent_id, position, action, task, status, parameters, arguments, tasks_total, tasks_ok)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0), (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0),
    (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0)
"""


def report(request: HttpRequest, report_id: UUID) -> HttpResponse:
    del request
    with connection.cursor() as cursor:
        cursor.execute(_SELECT, [report_id])
        row = cursor.fetchone()
    names = ("id", "action", "status", "total", "ok", "created_at", "started_at", "finished_at", "parameters", "result")
    document = dict(zip(names, row, strict=True))
    for name in ("parameters", "result"):
        document[name] = orjson.Fragment(document[name] or "null")
    return _json(document)


def accept(request: HttpRequest) -> HttpResponse:
    """Insert the three rows of an action of two tasks, and publish one message."""
    parameters = orjson.loads(request.body)
    root, first, second = uuid7(), uuid7(), uuid7()
    arguments = orjson.dumps({"args": [parameters["number"]], "kwargs": {}}).decode()
    rows = [
        *(root, root, None, 0, "pair", "", "pending", orjson.dumps(parameters).decode(), None, 2),
        *(first, root, root, 0, "pair", "floor.noop", "pending", None, arguments, 0),
        *(second, root, root, 1, "pair", "floor.noop", "pending", None, arguments, 0),
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_INSERT, rows)
    current_app.send_task("floor.noop", task_id=str(first))
    return _json({"id": root, "action": "pair", "status": "pending"}, status=202)


def start_noop(request: HttpRequest) -> HttpResponse:
    del request
    noop.delay(1)
    return _json({}, status=202)


def start_chain(request: HttpRequest) -> HttpResponse:
    del request
    chain(noop.s(1), noop.s()).apply_async()
    return _json({}, status=202)


def _json(document: object, status: int = 200) -> HttpResponse:
    content = orjson.dumps(document)
    headers = {"Content-Length": str(len(content))}
    return HttpResponse(content, content_type="application/json", status=status, headers=headers)


urlpatterns = [
    path("reports/<uuid:report_id>", report),
    path("actions/pair", accept),
    path("noops", start_noop),
    path("chains", start_chain),
]
