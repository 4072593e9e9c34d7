from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from unfold.sites import UnfoldAdminSite

from console import dashboard

View = Callable[..., HttpResponseBase]

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

    def admin_view(self, view: View, cacheable: bool = False) -> View:  # noqa: FBT001, FBT002  Django's signature
        """Have a page be for the staff, and tell them in a page like the others what they may not do."""
        answered: View = super().admin_view(self._telling_what_is_forbidden(view), cacheable)
        return answered

    def _telling_what_is_forbidden(self, view: View) -> View:
        # Raised any further, it is answered as for clients, and logged with a traceback.
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                return view(request, *args, **kwargs)
            except PermissionDenied as error:
                why = str(error) or "This page is not for you."
                context = {**self.each_context(request), "title": "You may not do that", "why": why}
                return TemplateResponse(request, "console/forbidden.html", context, status=HTTPStatus.FORBIDDEN)

        return answer
