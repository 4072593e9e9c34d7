from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from api.bodies import Body, is_final, report_body, summary_body, task_body
from api.problems import REPORT_NOT_FOUND, ProblemError
from api.queries import Page, action_of, read_query, status_of
from api.rendering import respond
from api.schema import operations
from api.visibility import sees_all
from reports import selectors
from reports.selectors import Report

# Seconds after which it makes sense to ask again.
RETRY_AFTER = "1"


@operations.get_report
class ReportApi(APIView):
    """Read a report."""

    http_method_names = ["get", "head"]

    def get(self, request: Request, report_id: UUID) -> HttpResponse:
        """Answer with the report of an action, or of one of its tasks, once it is the client's own."""
        read_query(request)
        everything = sees_all(request.user)
        report = find_report(report_id, owner=None if everything else request.user.pk)
        headers = {} if is_final(report) else {"Retry-After": RETRY_AFTER}
        return respond(report_body(report, traceback=everything), headers=headers)


@operations.list_reports
class ReportsApi(APIView):
    """List reports."""

    http_method_names = ["get", "head"]

    def get(self, request: Request) -> HttpResponse:
        """Answer with one page of actions' reports, newest first."""
        query = read_query(request, "limit", "cursor", "action", "status")
        page = Page.of(query)
        reports = selectors.list_roots(
            owner=None if sees_all(request.user) else request.user.pk,
            limit=page.limit + 1,
            before=page.cursor,
            action=action_of(query.get("action")),
            status=status_of(query.get("status")),
        )
        return respond(_page_body(page, reports, summary_body))


@operations.list_report_tasks
class ReportTasksApi(APIView):
    """List the tasks of a report."""

    http_method_names = ["get", "head"]

    def get(self, request: Request, report_id: UUID) -> HttpResponse:
        """Answer with one page of the reports below an action's, in the order they were planned."""
        query = read_query(request, "limit", "cursor")
        page = Page.of(query)
        owner = None if sees_all(request.user) else request.user.pk
        reports = selectors.list_tree(report_id, owner=owner, limit=page.limit + 1, after=page.cursor)
        if not reports:
            _require_action(find_report(report_id, owner=owner))
        return respond(_page_body(page, reports, task_body))


def find_report(report_id: UUID, *, owner: int | None) -> Report:
    """Return a report that is the client's own. Raises ProblemError, the same whether it is another's or nobody's."""
    report = selectors.find(report_id, owner=owner)
    if report is None:
        raise ProblemError(REPORT_NOT_FOUND, f"You have no report {report_id}.")
    return report


def _require_action(report: Report) -> None:
    if report.parent is not None:
        raise ProblemError(
            REPORT_NOT_FOUND,
            f"Report {report.id} is part of report {report.root}, which lists the tasks of the whole action.",
        )


def _page_body(page: Page, reports: list[Report], body_of: Any) -> Body:
    items, next_cursor = page.cut(reports)
    return {"items": [body_of(report) for report in items], "next_cursor": next_cursor}
