"""The pages about reports: the list of actions' reports, and the page of each."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe
from unfold.admin import ModelAdmin

from reports import selectors
from reports.search import Search
from reports.selectors import Report

_PAGE = 50


class ReportAdmin(ModelAdmin):
    """Reports are read here. No form changes them, whoever sends it: services.actions does.

    Buttons are unfold's ``actions_list`` on the list and ``actions_detail`` on the page of a report.
    """

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  Django's signature
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show a page of the actions' reports that are searched for."""
        self._require_view(request)
        reports = selectors.list_roots(Search(), limit=_PAGE)
        actions = self._get_actions_navigation(self.actions_list, self.get_actions_list(request))
        context = {"title": "Reports", "reports": reports, "actions_list": actions, **(extra_context or {})}
        return self._page(request, "console/reports.html", context)

    @method_decorator(require_safe)
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",  # noqa: ARG002  Django's signature
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one action's report."""
        self._require_view(request)
        report = _find(object_id)
        actions = self._get_actions_navigation(
            self.actions_detail, self.get_actions_detail(request, object_id), object_id
        )
        context = {"title": report.action, "report": report, "actions_detail": actions, **(extra_context or {})}
        return self._page(request, "console/report.html", context)

    def _require_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        shared = self.admin_site.each_context(request)
        return TemplateResponse(request, template, {**shared, "opts": self.opts, **context})


def _find(object_id: str | None) -> Report:
    try:
        report = selectors.find_outline(UUID(object_id or ""), owner=None)
    except ValueError:
        report = None
    if report is None:
        raise Http404
    return report
