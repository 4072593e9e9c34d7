"""The pages on which operators act: on one report, on those that they have ticked, on all that their search finds.

A page that is asked for (GET) shows what would be changed, and changes nothing; what is sent from it (POST) changes it.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods
from unfold.admin import ModelAdmin

from console.acting_on_each import act_on_each
from console.searching import SearchForm
from reports import selectors
from reports.errors import SelectionInvalidError
from reports.journal import LONGEST_REASON, Operator
from reports.models import Source, Verb
from reports.selectors import Report
from services import selection
from tasks import interventions

INTERVENE = "reports.intervene"
MOST_TICKED = 500
_EXAMPLES = 10
_PAGE = "reports_asyncactionreport"
_METHODS = method_decorator(require_http_methods(["GET", "HEAD", "POST"]))


class ConfirmationForm(forms.Form):
    """What an operator sends from a page that shows what would be changed. ``shown`` is what was there by then."""

    reason = forms.CharField(required=False, max_length=LONGEST_REASON)
    shown = forms.DateTimeField(required=False)
    confirmed = forms.BooleanField()


class ActingAdmin(ModelAdmin):
    """Cancelling and retrying, for those who have the permission: it is asked for by every one of these pages."""

    def get_urls(self) -> list[URLPattern]:
        """Add a page for each verb: for one report, and for many."""
        one, many = self.admin_site.admin_view(self.one_view), self.admin_site.admin_view(self.many_view)
        own = [
            address
            for verb in Verb
            for address in (
                path(f"<uuid:id_>/{verb}/", one, {"verb": verb}, name=f"{_PAGE}_{verb}"),
                path(f"{verb}/", many, {"verb": verb}, name=f"{_PAGE}_{verb}_many"),
            )
        ]
        return [*own, *super().get_urls()]

    @_METHODS
    def one_view(self, request: HttpRequest, id_: UUID, verb: Verb) -> HttpResponse:
        """Act on one report."""
        _require_intervene(request)
        report = selectors.find_outlines([id_]).get(id_)
        if report is None or report.parent is not None:
            raise Http404
        form = ConfirmationForm(request.POST)
        if request.method != "POST" or not form.is_valid():
            return self._confirm(request, verb, [report], number="this report", back=_page_of(id_))
        act_on_each(request, verb, [id_], _operator(request, form))
        return HttpResponseRedirect(_page_of(id_))

    @_METHODS
    def many_view(self, request: HttpRequest, verb: Verb) -> HttpResponse:
        """Act on the reports that were ticked, or on all that the list's own query finds."""
        _require_intervene(request)
        ticked = request.POST.getlist("id")
        return self._ticked(request, verb, ticked) if ticked else self._matching(request, verb)

    def _ticked(self, request: HttpRequest, verb: Verb, texts: Collection[str]) -> HttpResponse:
        ids = _ids_of(texts)
        form = ConfirmationForm(request.POST)
        if form.is_valid():
            act_on_each(request, verb, ids, _operator(request, form))
            return HttpResponseRedirect(_list_of(request))
        found = selectors.find_outlines(ids)
        reports = [found[id_] for id_ in ids if id_ in found and found[id_].parent is None]
        number = "1 report" if len(reports) == 1 else f"{len(reports)} reports"
        return self._confirm(request, verb, reports, number=number, back=_list_of(request), ids=ids)

    def _matching(self, request: HttpRequest, verb: Verb) -> HttpResponse:
        wanted = SearchForm(request.GET, person=request.user)
        if not wanted.is_valid() or wanted.id:
            messages.error(request, "Search for some reports first; one by its id has buttons on its own page.")
            return HttpResponseRedirect(_list_of(request))
        form = ConfirmationForm(request.POST)
        try:
            search = wanted.search
            if form.is_valid():
                shown = min(filter(None, (search.created_before, form.cleaned_data["shown"])), default=None)
                search = replace(search, created_before=shown)
                report = interventions.request(verb, search, _operator(request, form))
                messages.success(request, f"{selection.name_of(verb)} is under way: this is its report.")
                return HttpResponseRedirect(_page_of(report))
            selected = selection.select(verb, search)
        except SelectionInvalidError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(_list_of(request))
        number = selection.count(selected)
        return self._confirm(
            request,
            verb,
            selection.examples(selected, limit=_EXAMPLES),
            number="1 report" if str(number) == "1" else f"{number} reports",
            back=_list_of(request),
            shown=selected.created_before,
        )

    def _confirm(
        self, request: HttpRequest, verb: Verb, reports: Collection[Report], *, number: str, back: str, **more: Any
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{verb.label} {number}?",
            "verb": verb,
            "reports": reports,
            "number": number,
            "back": back,
            "longest_reason": LONGEST_REASON,
            **more,
        }
        return TemplateResponse(request, "console/confirm.html", context)


def _require_intervene(request: HttpRequest) -> None:
    if not request.user.has_perms(["reports.view_asyncactionreport", INTERVENE]):
        raise PermissionDenied("Reports are cancelled and retried by operators.")


def _operator(request: HttpRequest, form: ConfirmationForm) -> Operator:
    person: Any = request.user
    return Operator(person.get_username(), Source.ADMIN, person.pk, form.cleaned_data["reason"])


def _ids_of(texts: Collection[str]) -> list[UUID]:
    if len(texts) > MOST_TICKED:
        raise BadRequest(f"At most {MOST_TICKED} reports are ticked; search for them and take all that it finds.")
    try:
        return list(dict.fromkeys(map(UUID, texts)))
    except ValueError as error:
        raise BadRequest("This is no id of a report.") from error


def _page_of(id_: UUID) -> str:
    return reverse(f"admin:{_PAGE}_change", args=[id_])


def _list_of(request: HttpRequest) -> str:
    query = request.GET.urlencode()
    return reverse(f"admin:{_PAGE}_changelist") + (f"?{query}" if query else "")
