"""What the page of a report tells."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpRequest

from console import timeline
from reports import timeline as ledger
from reports.models import FINAL, Status
from reports.selectors import Report

STEPS = 200
#: Tasks of an action up to which they are counted by status, again and again while it runs.
MOST_COUNTED = 10_000


class StepsForm(forms.Form):
    """Which part of an action's tree is shown."""

    status = forms.ChoiceField(required=False, choices=Status.choices)
    after = forms.UUIDField(required=False)


def context_of(request: HttpRequest, report: Report) -> dict[str, Any]:
    """Return what the template of a report's page needs, without what is large or for some people alone."""
    form = StepsForm(request.GET)
    form.is_valid()
    after, status = form.cleaned_data.get("after"), form.cleaned_data.get("status") or None
    statuses = (Status(status),) if status else ()
    steps = ledger.list_steps(report.id, limit=STEPS + 1, after=after, statuses=statuses, tasks_only=bool(statuses))
    axis = timeline.Axis.of(report)
    is_counted = report.tasks_total <= MOST_COUNTED
    counts = ledger.count_tasks(report.id) if is_counted else {}
    return {
        "report": report,
        "client": _names([report]).get(report.requested_by),
        "is_final": report.status in FINAL,
        "axis": axis,
        "lines": timeline.lines(steps[:STEPS], axis, report.read_at, lease=settings.RECOVERY_LEASE),
        "statuses": [(status, counts.get(status, 0) if is_counted else None) for status in Status],
        "shown_status": status,
        "after": after,
        "next": steps[STEPS - 1].id if len(steps) > STEPS else None,
    }


def with_clients(reports: Collection[Report]) -> list[tuple[Report, str | None]]:
    """Return reports with the names of the clients that asked for them."""
    names = _names(reports)
    return [(report, names.get(report.requested_by)) for report in reports]


def _names(reports: Collection[Report]) -> dict[int | None, str]:
    ids = {report.requested_by for report in reports if report.requested_by is not None}
    if not ids:
        return {}
    users = get_user_model()
    return dict(users._default_manager.filter(pk__in=ids).values_list("pk", users.USERNAME_FIELD))  # noqa: SLF001
