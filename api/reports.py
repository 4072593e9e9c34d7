import re
from collections.abc import Callable
from math import ceil
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from api.bodies import LISTED_PARAMETERS, Body, is_final, report_body, report_path, summary_body, task_body
from api.problems import REPORT_NOT_FOUND, ProblemError
from api.queries import Page, action_of, read_query, status_of
from api.rendering import respond
from api.schema import operations
from api.visibility import Reader
from reports import selectors
from reports.models import Status
from reports.selectors import Report

# Seconds after which it makes sense to ask again: of what may run, and at most of what waits for its time.
_SOON = 1
_LONGEST_WAIT = 60
_ID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


@operations.get_report
class ReportApi(APIView):
    """Read a report."""

    http_method_names = ["get", "head"]

    def get(self, request: Request, report_id: str) -> HttpResponse:
        """Answer with the report of an action, or of one of its tasks, once it is the client's own."""
        read_query(request)
        reader = Reader.of(request.user)
        report = find_report(id_of(report_id), owner=reader.owner)
        headers = {} if is_final(report) else {"Retry-After": retry_after(report)}
        return respond(report_body(report, reader), headers=headers)


@operations.list_reports
class ReportsApi(APIView):
    """List reports."""

    http_method_names = ["get", "head"]

    def get(self, request: Request) -> HttpResponse:
        """Answer with one page of actions' reports, newest first."""
        query = read_query(request, "limit", "cursor", "action", "status")
        page = Page.of(query)
        reader = Reader.of(request.user)
        reports = selectors.list_roots(
            owner=reader.owner,
            limit=page.limit + 1,
            before=page.cursor,
            action=action_of(query.get("action")),
            status=status_of(query.get("status")),
            longest_parameters=LISTED_PARAMETERS,
        )
        return respond(_page_body(page, reports, lambda report: summary_body(report, reader)))


@operations.list_report_tasks
class ReportTasksApi(APIView):
    """List the tasks of a report."""

    http_method_names = ["get", "head"]

    def get(self, request: Request, report_id: str) -> HttpResponse:
        """Answer with one page of the reports below an action's, in the order they were planned."""
        query = read_query(request, "limit", "cursor")
        page = Page.of(query)
        reader = Reader.of(request.user)
        root = id_of(report_id)
        reports = selectors.list_tree(root, owner=reader.owner, limit=page.limit + 1, after=page.cursor)
        if not reports:
            find_action_report(root, owner=reader.owner, which="lists the tasks of the whole action")
        return respond(_page_body(page, reports, task_body))


def respond_accepted(report_id: UUID, request: Request) -> HttpResponse:
    """Answer that the client's action is under way: 202, with its report, where that is and when to ask for it."""
    reader = Reader.of(request.user)
    report = find_report(report_id, owner=reader.id)
    headers = {"Location": report_path(report), "Retry-After": retry_after(report)}
    return respond(report_body(report, reader), status=202, headers=headers)


def id_of(text: str) -> UUID:
    """Return the id that is in a URL, in either case, with or without dashes. Raises ProblemError for what is none."""
    if not _ID.fullmatch(text):
        raise unknown_report(text[:100])
    return UUID(text)


def find_report(report_id: UUID, *, owner: int | None) -> Report:
    """Return a report that is the client's own. Raises ProblemError, the same whether it is another's or nobody's."""
    report = selectors.find(report_id, owner=owner)
    if report is None:
        raise unknown_report(report_id)
    return report


def unknown_report(report_id: UUID | str) -> ProblemError:
    """Return the answer for a report that is another's, never was, or was deleted: to a client all the same."""
    return ProblemError(REPORT_NOT_FOUND, f"You have no report {report_id}.")


def find_action_report(report_id: UUID, *, owner: int | None, which: str) -> Report:
    """Return an action's report. Raises ProblemError; for that of a task it names the action's, ``which`` does more."""
    report = find_report(report_id, owner=owner)
    if report.parent is not None:
        raise ProblemError(REPORT_NOT_FOUND, f"Report {report.id} is part of report {report.root}, which {which}.")
    return report


def retry_after(report: Report) -> str:
    """Return the seconds after which to ask for a report again. Costs a query where it waits for its time."""
    if report.status != Status.PENDING or report.not_before is None:
        return str(_SOON)
    seconds = (report.not_before - selectors.read_clock()).total_seconds()
    return str(max(_SOON, min(_LONGEST_WAIT, ceil(seconds))))


def _page_body(page: Page, reports: list[Report], body_of: Callable[[Report], Body]) -> Body:
    items, next_cursor = page.cut(reports)
    return {"items": [body_of(report) for report in items], "next_cursor": next_cursor}
