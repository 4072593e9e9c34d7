"""Reports as clients see them. The schema of these bodies is declared in ``api.schema.reports``."""

from typing import Any

from django.urls import get_script_prefix

from reports.models import FINAL
from reports.selectors import Report

Body = dict[str, Any]

_ATTEMPT = ("attempt", "code", "type", "message", "started_at", "failed_at")


def report_body(report: Report, *, traceback: bool) -> Body:
    """Return the whole report: an action's, or that of one task, chain or group of it."""
    if report.parent is not None:
        return {**task_body(report, traceback=traceback), "result": report.result}
    return {**summary_body(report, traceback=traceback), "parameters": report.parameters, "result": report.result}


def summary_body(report: Report, *, traceback: bool = False) -> Body:
    """Return an action's report without its parameters and result."""
    return {
        "id": report.id,
        "kind": "action",
        "action": report.action,
        "status": report.status,
        "progress": report.progress,
        "tasks": {"total": report.tasks_total, "ok": report.tasks_ok},
        "error": _error_body(report, traceback=traceback),
        "created_at": report.created_at,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "links": {"self": report_path(report), "tasks": f"{report_path(report)}/tasks"},
    }


def task_body(report: Report, *, traceback: bool = False) -> Body:
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
        "errors": [{key: error[key] for key in _ATTEMPT} for error in report.errors],
        "error": _error_body(report, traceback=traceback),
        "created_at": report.created_at,
        "dispatched_at": report.dispatched_at,
        "not_before": report.not_before,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "links": {"self": report_path(report)},
    }


def report_path(report: Report) -> str:
    """Return the path of a report's own page."""
    return f"{get_script_prefix()}reports/{report.id}"


def is_final(report: Report) -> bool:
    """Tell whether a report changes no more."""
    return report.status in FINAL


def _error_body(report: Report, *, traceback: bool) -> Body | None:
    if report.error is None:
        return None
    error = report.error
    body = {"code": error.code, "type": error.type, "message": error.message, "task": error.task}
    return {**body, "traceback": report.traceback} if traceback else body
