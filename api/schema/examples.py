"""Examples of what the API takes and answers, one for every operation. For the OpenAPI document alone."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

Body = dict[str, Any]

_ID = "01a20b65-7b60-75c0-9f81-2ed74f00c786"
_TASK_ID = "01a20b65-7b60-75c0-9f81-2ed87c5e1a02"
_PATH = f"/reports/{_ID}"
_ASKED, _STARTED, _FINISHED = (f"2026-11-24T02:31:25.{fraction}Z" for fraction in ("216000", "231000", "437000"))


def answered(status: int, body: Any, media_type: str = "application/json") -> OpenApiExample:
    """Return the example of an answer."""
    return OpenApiExample("answer", body, response_only=True, status_codes=[str(status)], media_type=media_type)


def of_action(name: str, parameters: Body | None) -> list[OpenApiExample]:
    """Return the examples of one action's operation: none without parameters to show."""
    if parameters is None:
        return []
    report = {**_PENDING, "action": name, "parameters": parameters, "errors": [], "result": None}
    return [_asked(parameters), answered(202, report)]


def of_batch(name: str, parameters: Body | None) -> list[OpenApiExample]:
    """Return the examples of the operation that takes many requests of an action."""
    if parameters is None:
        return []
    report = {**_PENDING, "action": name, "parameters": parameters, "idempotency_key": "import-7/1"}
    item = {"status": 202, "replayed": False, "report": report, "problem": None}
    return [
        _asked({"requests": [{"parameters": parameters, "idempotency_key": "import-7/1"}], "atomic": False}),
        answered(200, {"refused": 0, "items": [item]}),
    ]


def _asked(body: Body) -> OpenApiExample:
    return OpenApiExample("request", body, request_only=True, media_type="application/json")


_PENDING: Body = {
    "id": _ID,
    "kind": "action",
    "action": "sync-invoices",
    "idempotency_key": None,
    "status": "pending",
    "progress": None,
    "tasks": {"total": 2, "ok": 0},
    "retries": 0,
    "error": None,
    "created_at": _ASKED,
    "not_before": None,
    "deadline_at": None,
    "started_at": None,
    "finished_at": None,
    "queued_seconds": None,
    "run_seconds": None,
    "links": {
        "self": _PATH,
        "tasks": f"{_PATH}/tasks",
        "events": f"{_PATH}/events",
        "cancel": f"{_PATH}/cancel",
    },
    "parameters": {"customer_id": "cus_ada"},
}
_DONE: Body = {
    **_PENDING,
    "status": "ok",
    "tasks": {"total": 2, "ok": 2},
    "started_at": _STARTED,
    "finished_at": _FINISHED,
    "queued_seconds": 0.015,
    "run_seconds": 0.206,
    "links": {"self": _PATH, "tasks": f"{_PATH}/tasks"},
}
_TASK: Body = {
    "id": _TASK_ID,
    "kind": "task",
    "report": _ID,
    "parent": _ID,
    "position": 0,
    "action": "sync-invoices",
    "task": "invoices.fetch",
    "status": "ok",
    "progress": None,
    "children": {"total": 0, "ok": 0},
    "attempts": 1,
    "errors": [],
    "error": None,
    "created_at": _ASKED,
    "dispatched_at": _ASKED,
    "not_before": None,
    "started_at": _STARTED,
    "finished_at": _FINISHED,
    "queued_seconds": 0.015,
    "run_seconds": 0.206,
    "links": {"self": f"/reports/{_TASK_ID}"},
}

OK: Body = {**_DONE, "errors": [], "result": {"stored": 3, "totals": {"EUR": "3.03", "USD": "3.03"}}}
CANCELLED: Body = {
    **OK,
    "status": "cancelled",
    "tasks": {"total": 2, "ok": 1},
    "links": {**OK["links"], "retry": f"{_PATH}/retry"},
    "result": None,
}
RETRIED: Body = {**_PENDING, "tasks": {"total": 2, "ok": 1}, "retries": 1, "errors": [], "result": None}
# An event has the whole report; the example has less of it.
EVENTS = f'id: XJl3l5yZyq2c4N5tX1Zr.10.0.1.0\ndata: {{"id":"{_ID}","kind":"action","status":"ok"}}\n\n'
REPORTS: Body = {"items": [_DONE], "next_cursor": None}
TASKS: Body = {"items": [_TASK], "next_cursor": None}
CATALOGUE: Body = {
    "items": [
        {
            "name": "sync-invoices",
            "description": "Fetch a customer's invoices from InvoicesPlus and store them.",
            "url": "/actions/sync-invoices",
            "restricted": False,
            "filterable": ["customer_id"],
            "errors": [
                {
                    "code": "customer_not_found",
                    "retryable": False,
                    "description": "InvoicesPlus has no such customer.",
                }
            ],
        }
    ]
}
