from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from unfold.sites import UnfoldAdminSite

from console import dashboard

VIEW_REPORTS = "reports.view_asyncactionreport"


class OperatorsSite(UnfoldAdminSite):
    """The pages for operators. The first one tells how the service is."""

    site_title = "Async Actions"
    site_header = "Async Actions"
    index_title = "Dashboard"
    index_template = "console/dashboard.html"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show how the service is to those who may see reports; to others what they may see."""
        known = dashboard.context() if request.user.has_perm(VIEW_REPORTS) else {}
        response: TemplateResponse = super().index(request, {**known, **(extra_context or {})})
        return response
