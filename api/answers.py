"""Answers to those who ask for an action."""

from django.http import HttpResponse
from rest_framework.request import Request

from api.bodies import is_final, report_body, report_path
from api.headers import header
from api.idempotency import REPLAYED
from api.observation import bind_report
from api.preferences import Preferences, applied
from api.rendering import respond
from api.reports import find_report, retry_after
from api.visibility import Reader
from api.waiting import wait_as_preferred
from reports.acceptance import Accepted
from reports.selectors import Report


def respond_submitted(accepted: Accepted, request: Request) -> HttpResponse:
    """Answer with the report of what was accepted: 202, or 200 where the client has waited until it was final."""
    bind_report(accepted.report)
    preferences = Preferences.of(header(request, "Prefer"))
    waited = wait_as_preferred(accepted.report, preferences)
    reader = Reader.of(request.user)
    report = _newest(accepted, reader, has_waited=waited is not None)
    is_done = is_final(report)
    is_awaited = is_done and waited is not None
    headers = {
        "Location": report_path(report),
        **({} if is_done else {"Retry-After": retry_after(report)}),
        **({REPLAYED: "true"} if accepted.repeated else {}),
        **applied(respond_async=preferences.respond_async and not is_awaited, wait=waited),
    }
    return respond(report_body(report, reader), status=200 if is_awaited else 202, headers=headers)


def _newest(accepted: Accepted, reader: Reader, *, has_waited: bool) -> Report:
    # What was accepted just now need not be read again: a tenth of what accepting costs.
    if accepted.as_new is not None and not has_waited:
        return accepted.as_new
    return find_report(accepted.report, owner=reader.id)
