"""The pages of the journal: what operators did. They are read, by nobody changed."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from console.rights import Sensitive, may_read
from console.templatetags.times import stamp
from reports.models import Intervention

_PARTS = ("report", "part_of")
_NONE = "\N{EN DASH}"
_WORDS = {"statuses": "status", "owner": "client", "filters": "parameters", "oldest_first": "", "but_not": ""}


class InterventionAdmin(ModelAdmin):
    """What was done by operations on many reports is shown where one asks for it: of a report, or of the operation."""

    list_display = ("at", "who", "source", "verb", "what", "refused", "reason")
    list_display_links = ("at",)
    list_filter = ("verb", "source")
    search_fields = ("who",)
    ordering = ("-id",)
    list_per_page = 50
    list_max_show_all = 50
    actions = None
    sortable_by = ()

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  Django's signature
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        """Show what was searched for, of parameters only their names to those who may not read them."""
        searched_for = "searched_for" if may_read(request.user, Sensitive.PAYLOADS) else "searched_for_in_part"
        head = ("at", "who", "source", "verb", "what", searched_for)
        return (*head, "refused", "reason", "operation", "parts")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Show all of them, and let none be changed."""
        return self.get_fields(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Intervention]:
        """Return what a person did, and the parts of it where some are asked for."""
        entries: QuerySet[Intervention] = super().get_queryset(request)
        is_list = request.resolver_match is not None and "object_id" not in request.resolver_match.kwargs
        return entries.filter(part_of=None) if is_list and not set(_PARTS) & set(request.GET) else entries

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let entries be found by the report, and by the operation that they are part of."""
        return lookup in _PARTS or bool(super().lookup_allowed(lookup, value, request))

    @admin.display(description="when")
    def at(self, entry: Intervention) -> str:
        """Return the moment, to the millisecond."""
        return stamp(entry.made_at)

    @admin.display(description="report")
    def what(self, entry: Intervention) -> str:
        """Return a link to the report; it may have been purged."""
        page = reverse("admin:reports_asyncactionreport_change", args=[entry.report])
        return format_html('<a class="aa-id" href="{}">{}</a>', page, entry.report)

    @admin.display(description="searched for")
    def searched_for(self, entry: Intervention) -> str:
        """Return what an operation was for, in words."""
        return _worded(entry.search or {})

    @admin.display(description="searched for")
    def searched_for_in_part(self, entry: Intervention) -> str:
        """Return what an operation was for, without the values of parameters."""
        search = dict(entry.search or {})
        if "filters" in search:
            search["filters"] = ", ".join(sorted(search["filters"]))
        return _worded(search)

    @admin.display(description="part of")
    def operation(self, entry: Intervention) -> str:
        """Return a link to the operation that an entry is part of."""
        if entry.part_of_id is None:
            return _NONE
        return format_html('<a href="{}">{}</a>', self._page(entry.part_of_id), entry.part_of_id)

    @admin.display(description="parts")
    def parts(self, entry: Intervention) -> str:
        """Return a link to what an operation has done to each report."""
        if entry.search is None:
            return _NONE
        page = reverse("admin:reports_intervention_changelist")
        return format_html('<a href="{}?part_of={}">Each report that it was done to</a>', page, entry.pk)

    def _page(self, id_: Any) -> str:
        return reverse("admin:reports_intervention_change", args=[id_])


def _worded(search: dict[str, Any]) -> str:
    named = {_WORDS.get(name, name.replace("_", " ")): value for name, value in search.items()}
    return "; ".join(f"{name}: {_said(value)}" for name, value in named.items() if name) or _NONE


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} = {wanted}" for name, wanted in value.items())
    return " or ".join(value) if isinstance(value, list) else str(value)
