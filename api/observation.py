"""What operators see of a request: its span, how long it took, and its ids on every line of the log."""

import re
from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from structlog.contextvars import bind_contextvars, clear_contextvars

from services import tracing
from services.metrics.counted import count_request

#: Where the server puts the moment, of ``perf_counter``, at which it has had the whole request.
BEGAN = "async_actions.began"

_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")
_FIRST_FAILURE = 500
# Probes would be most of what is seen, and tell nothing.
_UNTRACED = "/health/"


def observing(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Return a middleware that has each request seen, whatever becomes of it."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        clear_contextvars()
        began = request.META.get(BEGAN) or perf_counter()
        trace = tracing.read(request.META.get("HTTP_TRACEPARENT"))
        if request.path_info.startswith(_UNTRACED):
            response = get_response(request)
        else:
            with tracing.serving(request.method or "", trace):
                if trace_id := tracing.trace_id():
                    bind_contextvars(trace_id=trace_id)
                response = get_response(request)
                _note(request, response)
        operation = operation_of(request)
        count_request(
            f"{operation} (waits)" if operation and "HTTP_PREFER" in request.META else operation,
            method=request.method or "",
            status=response.status_code,
            seconds=perf_counter() - began,
        )
        clear_contextvars()
        return response

    return respond


def bind_client(request: Request, action: str | None) -> None:
    """Have the client, and the action that it asks for, on every line that is logged within its request from now on."""
    bind_contextvars(
        **({"client": request.user.pk} if request.user.pk else {}), **({"action": action} if action else {})
    )


def bind_report(report: Any) -> None:
    """Have a report's id on every line that is logged within the request from now on."""
    bind_contextvars(report=str(report))
    tracing.note({"async_actions.report": str(report)})


def operation_of(request: HttpRequest) -> str:
    """Return the pattern of a request's route, such as /reports/{report_id}; nothing where it has none."""
    match = getattr(request, "resolver_match", None)
    return _shown(match.route) if match else ""


@lru_cache(maxsize=1000)  # there are as many as routes
def _shown(route: str) -> str:
    return "/admin" if route.startswith("admin/") else "/" + _CONVERTER.sub(r"{\1}", route)


def _note(request: HttpRequest, response: HttpResponseBase) -> None:
    operation, status = operation_of(request), response.status_code
    tracing.note(
        {"http.response.status_code": status, "http.route": operation},
        name=f"{request.method} {operation}".strip(),
        failure=str(status) if status >= _FIRST_FAILURE else None,
    )
