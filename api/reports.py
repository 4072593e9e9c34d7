import re
from collections.abc import Callable
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from api.bodies import LISTED_PARAMETERS, Body, is_final, report_body, report_path, summary_body, task_body
from api.conditions import etag_of, has_etags, has_newest
from api.filters import FILTERS, SEVERAL, search_of
from api.headers import header
from api.observation import bind_report
from api.preferences import Preferences, applied
from api.problems import REPORT_NOT_FOUND, ProblemError
from api.queries import Page, read_query
from api.rendering import respond, respond_without_body
from api.schema import operations
from api.views import ThrottledView
from api.visibility import Reader
from api.waiting import wait_as_preferred
from reports import selectors
from reports.selectors import Report
from services import durations

_ID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


@operations.get_report
class ReportApi(ThrottledView):
    """Read a report."""

    http_method_names = ["get", "head"]

    def get(self, request: Request, report_id: str) -> HttpResponse:
        """Answer with the report of an action, or of one of its tasks, once it is the client's own.

        A client that has its newest version, or that prefers to wait, costs a look at what is small of it first.
        """
        read_query(request)
        reader = Reader.of(request.user)
        id_ = id_of(report_id)
        headers = self._wait_as_preferred(request, id_, reader)
        if has_etags(request):
            outline = _require(selectors.find_outline(id_, owner=reader.owner), id_)
            if has_newest(request, etag_of(outline, reader)):
                return respond_without_body(304, headers={**headers, **_headers_of(outline, reader)})
        report = find_report(id_, owner=reader.owner)
        return respond(report_body(report, reader), headers={**headers, **_headers_of(report, reader)})

    def _wait_as_preferred(self, request: Request, id_: UUID, reader: Reader) -> dict[str, str]:
        """Wait for an action of the client's, as long as it would. Returns the header that says so."""
        preferences = Preferences.of(header(request, "Prefer"))
        if preferences.wait is None:
            return {}
        outline = _require(selectors.find_outline(id_, owner=reader.owner), id_)
        if outline.parent is not None:
            return {}
        return applied(wait=wait_as_preferred(id_, preferences, is_final=is_final(outline)))


@operations.list_reports
class ReportsApi(ThrottledView):
    """List reports."""

    http_method_names = ["get", "head"]

    def get(self, request: Request) -> HttpResponse:
        """Answer with one page of actions' reports."""
        query = read_query(request, "limit", "cursor", *FILTERS, several=SEVERAL)
        reader = Reader.of(request.user)
        search = search_of(request, query, owner=reader.owner)
        page = Page.of(query, "reports, oldest first" if search.oldest_first else "reports, newest first")
        reports = selectors.list_roots(
            search,
            limit=page.limit + 1,
            after=page.cursor,
            longest_parameters=LISTED_PARAMETERS,
        )
        return respond(_page_body(page, reports, lambda report: summary_body(report, reader)))


@operations.list_report_tasks
class ReportTasksApi(ThrottledView):
    """List the tasks of a report."""

    http_method_names = ["get", "head"]

    def get(self, request: Request, report_id: str) -> HttpResponse:
        """Answer with one page of the reports below an action's, in the order they were planned."""
        query = read_query(request, "limit", "cursor")
        reader = Reader.of(request.user)
        root = id_of(report_id)
        page = Page.of(query, f"tasks of {root}")
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
    id_ = UUID(text)
    bind_report(id_)
    return id_


def find_report(report_id: UUID, *, owner: int | None) -> Report:
    """Return a report that is the client's own. Raises ProblemError, the same whether it is another's or nobody's."""
    return _require(selectors.find(report_id, owner=owner), report_id)


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
    """Return the seconds after which it makes sense to ask for a report again."""
    return str(durations.seconds_until_worth_asking(report))


def _headers_of(report: Report, reader: Reader) -> dict[str, str]:
    validator = {"ETag": etag_of(report, reader)}
    return validator if is_final(report) else {**validator, "Retry-After": retry_after(report)}


def _require(report: Report | None, report_id: UUID) -> Report:
    if report is None:
        raise unknown_report(report_id)
    return report


def _page_body(page: Page, reports: list[Report], body_of: Callable[[Report], Body]) -> Body:
    items, next_cursor = page.cut(reports)
    return {"items": [body_of(report) for report in items], "next_cursor": next_cursor}
