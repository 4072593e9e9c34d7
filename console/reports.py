"""The pages about reports: the list of actions' reports, and the page of each."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from console import catalogue, report_page
from console.acting import ActingAdmin
from console.rights import Sensitive, may_read
from console.searching import SearchForm
from reports import selectors
from reports import timeline as ledger
from reports.codes import ENGINE_CODES
from reports.models import Status
from reports.selectors import Report

PAGE = 50
#: Characters of a document that are shown.
LONGEST = 50_000


class ReportAdmin(ActingAdmin):
    """Reports are read here. No form changes them, whoever sends it: services.actions does.

    Buttons are unfold's ``actions_list`` on the list, which get the list's own query, and ``actions_detail`` on the
    page of a report.
    """

    def get_urls(self) -> list[URLPattern]:
        """Add the parts of a report's page that a browser asks for by itself."""
        view = self.admin_site.admin_view
        own = [
            path("<uuid:id_>/live/", view(self.live_view), name="reports_asyncactionreport_live"),
            path("<uuid:id_>/details/", view(self.details_view), name="reports_asyncactionreport_details"),
        ]
        return [*own, *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  Django's signature
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    @method_decorator(require_safe)
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show a page of the actions' reports that are searched for, or lead to the one report that has the id."""
        self._require_view(request)
        form = SearchForm(request.GET, person=request.user)
        reports: list[Report] = []
        if form.is_valid():
            if form.id:
                root = ledger.find_root(form.id)
                if root:
                    return HttpResponseRedirect(_step_url(root, form.id))
                form.add_error("text", f"There is no report {form.id}. It may have been purged.")
            else:
                reports = selectors.list_roots(form.search, limit=PAGE + 1, after=form.cleaned_data["after"])
        actions = self._get_actions_navigation(self.actions_list, self.get_actions_list(request))
        context = {
            "title": "Reports",
            "form": form,
            "rows": report_page.with_clients(reports[:PAGE]),
            "next": reports[PAGE - 1].id if len(reports) > PAGE else None,
            "statuses": Status,
            "action_names": catalogue.names(),
            "codes": sorted(ENGINE_CODES),
            "may_search_parameters": may_read(request.user, Sensitive.PAYLOADS),
            "actions_list": [{**action, "path": _with_query(action.get("path"), request)} for action in actions],
            **(extra_context or {}),
        }
        return self._page(request, "console/reports.html", context)

    @method_decorator(require_safe)
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",  # noqa: ARG002  Django's signature
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one action's report; that of a task leads to its action's."""
        self._require_view(request)
        report = _find(_as_id(object_id))
        if report.parent is not None:
            return HttpResponseRedirect(_step_url(report.root, report.id))
        actions = self._get_actions_navigation(
            self.actions_detail, self.get_actions_detail(request, object_id), object_id
        )
        context = {
            "title": "Report",
            **report_page.context_of(request, report),
            "actions_detail": actions,
            **(extra_context or {}),
        }
        return self._page(request, "console/report.html", context)

    @method_decorator(require_safe)
    def live_view(self, request: HttpRequest, id_: UUID) -> HttpResponse:
        """Show what changes on a report's page while its action runs."""
        self._require_view(request)
        return TemplateResponse(request, "console/report_body.html", report_page.context_of(request, _find(id_)))

    @method_decorator(require_safe)
    def details_view(self, request: HttpRequest, id_: UUID) -> HttpResponse:
        """Show what is large of one report, as much of it as the person may read."""
        self._require_view(request)
        report = _find(id_)
        sees_tracebacks = may_read(request.user, Sensitive.TRACEBACKS)
        sees_payloads = may_read(request.user, Sensitive.PAYLOADS)
        context = {
            "report": report,
            "errors": [_shown(error, sees_tracebacks=sees_tracebacks) for error in ledger.read_errors(id_)],
            "traceback": ledger.read_traceback(id_) if sees_tracebacks else "",
            "payloads": ledger.read_payloads(id_, longest=LONGEST) if sees_payloads else {},
            "sees_tracebacks": sees_tracebacks,
            "sees_payloads": sees_payloads,
        }
        if "X-Requested-With" in request.headers:
            return TemplateResponse(request, "console/details.html", context)
        return self._page(request, "console/details_page.html", {"title": "Report", **context})

    def _require_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        shared = self.admin_site.each_context(request)
        return TemplateResponse(request, template, {**shared, **context})


def _find(id_: UUID | None) -> Report:
    report = selectors.find_outline(id_, owner=None) if id_ else None
    if report is None:
        raise Http404
    return report


def _shown(error: dict[str, Any], *, sees_tracebacks: bool) -> dict[str, Any]:
    failed_at = datetime.fromisoformat(error["failed_at"]) if error.get("failed_at") else None
    return {**error, "failed_at": failed_at, "traceback": error.get("traceback") if sees_tracebacks else None}


def _as_id(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _step_url(root: UUID, id_: UUID) -> str:
    page = reverse("admin:reports_asyncactionreport_change", args=[root])
    return page if root == id_ else f"{page}#step-{id_}"


def _with_query(address: str | None, request: HttpRequest) -> str | None:
    query = request.GET.urlencode()
    return f"{address}?{query}" if address and query else address
