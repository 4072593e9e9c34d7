"""Reports as clients see them. The schema of these bodies is declared in ``api.schema.documents``."""

from datetime import datetime
from typing import Any

from django.urls import get_script_prefix

from api.visibility import Reader
from reports.documents import load
from reports.models import FINAL, Kind, Status
from reports.requests import Request
from reports.selectors import Report

Body = dict[str, Any]

_ATTEMPT = ("attempt", "code", "type", "message", "task", "started_at", "failed_at")
# Characters of JSON that a list shows of an action's parameters: a page of long ones could be more than a hundred MB.
LISTED_PARAMETERS = 4096
_RETRYABLE = (Status.FAILED, Status.CANCELLED)


def report_body(report: Report, reader: Reader) -> Body:
    """Return the whole report: an action's, or that of one task, chain or group of it."""
    error = _error_body(report, traceback=reader.sees_tracebacks)
    errors = _errors_body(report, traceback=reader.sees_tracebacks)
    if report.parent is not None:
        return {**task_body(report), "errors": errors, "error": error, "result": report.result}
    return {
        **summary_body(report, reader),
        "error": error,
        "errors": errors,
        "result": report.result,
    }


def summary_body(report: Report, reader: Reader) -> Body:
    """Return an action's report without its earlier errors and result."""
    return {
        "id": report.id,
        "kind": "action",
        "action": report.action,
        "idempotency_key": report.idempotency_key,
        "status": report.status,
        "progress": report.progress,
        "tasks": {"total": report.tasks_total, "ok": report.tasks_ok},
        "retries": report.retries,
        "error": _error_body(report),
        "created_at": report.created_at,
        "not_before": report.not_before,
        "deadline_at": report.deadline_at,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        **_seconds_body(report),
        "links": _links_body(report, reader),
        "parameters": report.parameters,
    }


def validation_body(request: Request) -> Body:
    """Return what a request comes to that is not to be accepted."""
    return {
        "kind": "validation",
        "action": request.action,
        "parameters": load(request.document),
        "tasks": request.tasks,
        "not_before": request.timing.not_before,
        "deadline_at": request.timing.expires_at,
    }


def task_body(report: Report) -> Body:
    """Return a report below an action's, without its result."""
    return {
        "id": report.id,
        "kind": report.kind,
        "report": report.root,
        "parent": report.parent,
        "position": report.position,
        "action": report.action,
        "task": report.task or None,
        "status": report.status,
        "progress": report.progress,
        "children": {"total": report.children_total, "ok": report.children_ok},
        "attempts": report.attempts,
        "errors": _errors_body(report),
        "error": _error_body(report),
        "created_at": report.created_at,
        "dispatched_at": report.dispatched_at,
        "not_before": report.not_before,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        **_seconds_body(report),
        "links": {"self": report_path(report)},
    }


def report_path(report: Report) -> str:
    """Return the path of a report's own page."""
    return f"{get_script_prefix()}reports/{report.id}"


def is_final(report: Report) -> bool:
    """Tell whether a report changes no more."""
    return report.status in FINAL


def _links_body(report: Report, reader: Reader) -> Body:
    path = report_path(report)
    links = {"self": path, "tasks": f"{path}/tasks"}
    if not is_final(report):
        links["events"] = f"{path}/events"
    if not reader.owns(report):
        return links
    if not is_final(report):
        return {**links, "cancel": f"{path}/cancel"}
    return {**links, "retry": f"{path}/retry"} if report.status in _RETRYABLE else links


def _seconds_body(report: Report) -> Body:
    """Return how long a report waited for its start, and ran: of a task, for and in its newest attempt.

    Neither while it lasts: what a report says must not change with every second.
    """
    begun = report.started_at and report.turn_at and report.started_at >= report.turn_at
    start = report.started_at if begun else None
    if not begun and report.kind != Kind.TASK and report.parent:
        start = report.turn_at  # a chain or group begins with its turn
    return {
        "queued_seconds": _seconds(report.turn_at, report.started_at) if begun else None,
        "run_seconds": _seconds(start, report.finished_at),
    }


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return max(0.0, round((end - start).total_seconds(), 3)) if start and end else None


def _errors_body(report: Report, *, traceback: bool = False) -> list[Body]:
    tracebacks = ("traceback",) if traceback else ()
    return [
        {**{key: error[key] for key in (*_ATTEMPT, *tracebacks)}, **_attempt_body(error)} for error in report.errors
    ]


def _attempt_body(error: Body) -> Body:
    # As the ledger keeps them: no task where none has failed, and time stamps in the database's own precision.
    return {
        "retryable": error.get("retryable"),
        "task": error["task"] or None,
        "started_at": _moment_of(error["started_at"]),
        "failed_at": _moment_of(error["failed_at"]),
    }


def _moment_of(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _error_body(report: Report, *, traceback: bool = False) -> Body | None:
    if report.error is None:
        return None
    error = report.error
    body = {
        "code": error.code,
        "type": error.type,
        "message": error.message,
        "retryable": error.retryable,
        "task": error.task or None,
    }
    return {**body, "traceback": report.traceback} if traceback else body
