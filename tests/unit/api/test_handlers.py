"""Exceptions of Django's, DRF's and ours, each as the problem that it is to a client."""

import json

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError
from django.http import Http404, UnreadablePostError
from django.test import RequestFactory
from rest_framework import exceptions

from api import handlers
from reports.errors import PlanTooLargeError, ReportFinalError, ReportNotRetryableError


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404("inner"), 404, "not_found"),
        (PermissionDenied("inner"), 403, "permission_denied"),
        (SuspiciousOperation("inner"), 400, "bad_request"),
        (UnreadablePostError("inner"), 400, "bad_request"),
        (InterfaceError("inner"), 503, "service_unavailable"),
        (PlanTooLargeError("Too many."), 422, "plan_too_large"),
        (ReportFinalError("It is ok."), 409, "report_final"),
        (ReportNotRetryableError("It is ok."), 409, "report_not_retryable"),
        (exceptions.PermissionDenied("Ask the operator."), 403, "permission_denied"),
        (exceptions.Throttled(wait=2.1), 429, "throttled"),
        (exceptions.NotFound("Gone."), 404, "not_found"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_each_exception_has_its_problem(error, status, code):
    response = handlers.exception_handler(error, {"view": object()})

    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    problem = json.loads(response.content)
    assert (problem["code"], problem["type"]) == (code, f"/problems/{code}")
    assert "inner" not in problem["detail"]


def test_a_throttled_client_is_told_how_long_to_wait():
    response = handlers.exception_handler(exceptions.Throttled(wait=2.1), {"view": object()})

    assert response.headers["Retry-After"] == "3"


@pytest.mark.parametrize("error", [ValueError("inner"), KeyError("inner")])
def test_what_nobody_foresaw_is_left_to_django_which_logs_it(error):
    assert handlers.exception_handler(error, {"view": object()}) is None


@pytest.mark.parametrize(
    ("handler", "status", "code"),
    [
        (handlers.bad_request, 400, "bad_request"),
        (handlers.permission_denied, 403, "permission_denied"),
        (handlers.not_found, 404, "not_found"),
        (handlers.server_error, 500, "internal_error"),
    ],
)
def test_django_s_own_errors_are_problems(handler, status, code):
    request = RequestFactory().get("/somewhere")

    response = handler(request) if handler is handlers.server_error else handler(request, Exception("inner"))

    problem = json.loads(response.content)
    assert (response.status_code, problem["code"]) == (status, code)
    assert "inner" not in problem["detail"]
