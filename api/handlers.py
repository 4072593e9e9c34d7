"""From exceptions to problems: in views, where DRF asks for it, and outside of them, where Django does."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.views import set_rollback

from api import problems
from api.authentication import is_gone
from api.problems import ProblemError, ProblemType, problem_response
from api.validation import errors_of
from reports.errors import (
    IdempotencyKeyReusedError,
    PlanInvalidError,
    PlanTooLargeError,
    ReportFinalError,
    ReportNotRetryableError,
)
from services.metrics.counted import count_database_error

logger = logging.getLogger(__name__)

_WRONG_HOST = "The Host header names no host of this service; the operator adds it to ALLOWED_HOSTS."
_KEPT = ("Allow", "Content-Range")
_CHALLENGE = 'Bearer realm="async-actions"'


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Answer an exception of a view as a problem; ``None`` leaves it to Django, which logs it and answers 500."""
    set_rollback()
    if isinstance(error, PlanInvalidError) and not isinstance(error, PlanTooLargeError):
        logger.error("The action of %s has a plan that cannot run: %s", type(context["view"]).__qualname__, error)
        return None
    problem = problem_of(error, context)
    return problem_response(problem) if problem else None


def answering_problems(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Return a middleware that gives an error that has no body one: those of static files have none."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.status_code < HTTPStatus.BAD_REQUEST or "Content-Type" in response.headers:
            return response
        status = HTTPStatus(response.status_code)
        kept = {name: value for name, value in response.headers.items() if name in _KEPT}
        detail = f"{status.description or status.phrase}."
        return problem_response(ProblemError(problems.type_of_status(status), detail, headers=kept))

    return respond


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django refuses before a view is called, such as a wrong host."""
    del request
    detail = _WRONG_HOST if isinstance(exception, DisallowedHost) else "The request cannot be understood."
    return problem_response(ProblemError(problems.BAD_REQUEST, detail))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a 403 from outside the API, such as a failed CSRF check."""
    del request, exception
    return problem_response(ProblemError(problems.PERMISSION_DENIED, "You may not do that."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form of the admin pages that was not sent from them, or too late."""
    del request, reason
    detail = "The form cannot be taken: it has no valid CSRF token. Load the page again."
    return problem_response(ProblemError(problems.PERMISSION_DENIED, detail))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer an unknown URL."""
    del exception
    return problem_response(ProblemError(problems.NOT_FOUND, f"There is nothing at {request.path[:200]}."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when the service has failed. What happened is in the log, not in the answer."""
    del request
    return problem_response(ProblemError(problems.INTERNAL_ERROR, "The service failed to answer this request."))


def problem_of(error: Exception, context: dict[str, Any]) -> ProblemError | None:  # noqa: C901, PLR0911  one line a kind
    """Return why a request is not served, ``None`` where that is not the client's to know."""
    match error:
        case ProblemError():
            return error
        case exceptions.ValidationError():
            detail = "The parameters do not fit the action."
            return ProblemError(problems.PARAMETERS_INVALID, detail, errors=errors_of(error.detail))
        case PlanTooLargeError() | IdempotencyKeyReusedError() | ReportFinalError() | ReportNotRetryableError():
            return ProblemError(problems.PROBLEM_TYPES[error.code], str(error))
        case RequestDataTooBig():
            limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            return ProblemError(
                problems.BODY_TOO_LARGE, f"The body has more than the {limit:,} bytes that are allowed."
            )
        case SuspiciousOperation() | UnreadablePostError():
            return ProblemError(problems.BAD_REQUEST, "The request cannot be read.")
        case IntegrityError() if "request" in context and is_gone(context["request"].user):
            return _problem_of_drf(exceptions.AuthenticationFailed(), context)
        case OperationalError() | InterfaceError():
            logger.error("The database is away: %s", error)
            count_database_error("request")
            detail = "The service cannot reach its database."
            return ProblemError(problems.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"})
        case Http404():
            return ProblemError(problems.NOT_FOUND, "There is nothing at this address.")
        case PermissionDenied():
            return ProblemError(problems.PERMISSION_DENIED, "You may not do that.")
        case exceptions.APIException():
            return _problem_of_drf(error, context)
    return None


def _problem_of_drf(error: exceptions.APIException, context: dict[str, Any]) -> ProblemError:  # noqa: PLR0911
    detail = str(error.detail)
    match error:
        case exceptions.NotAuthenticated():
            return ProblemError(
                problems.AUTHENTICATION_REQUIRED, _lack_of_token(context), headers={"WWW-Authenticate": _CHALLENGE}
            )
        case exceptions.AuthenticationFailed():
            challenge = f'{_CHALLENGE}, error="invalid_token"'
            return ProblemError(
                problems.TOKEN_INVALID, problems.TOKEN_INVALID.advice, headers={"WWW-Authenticate": challenge}
            )
        case exceptions.UnsupportedMediaType():
            detail = f"{detail} Send Content-Type: application/json."
            return ProblemError(problems.MEDIA_TYPE_UNSUPPORTED, detail, headers={"Accept": "application/json"})
        case exceptions.MethodNotAllowed():
            allowed = ", ".join(context["view"].allowed_methods)
            return ProblemError(problems.METHOD_NOT_ALLOWED, f"{detail} Allowed: {allowed}.")
        case exceptions.Throttled():
            seconds = getattr(error, "wait", None)
            headers = {"Retry-After": str(seconds)} if seconds else {}
            return ProblemError(problems.THROTTLED, detail, headers=headers)
        case exceptions.PermissionDenied():
            return ProblemError(problems.PERMISSION_DENIED, detail)
    return ProblemError(_type_of(error), detail)


def _lack_of_token(context: dict[str, Any]) -> str:
    if "request" in context and "Authorization" in context["request"].headers:
        return "The header Authorization is not of the form Bearer <token>."
    return "The request has no token."


def _type_of(error: exceptions.APIException) -> ProblemType:
    """Return the problem type of an exception that an author's own permission or view has raised."""
    named = problems.PROBLEM_TYPES.get(str(error.default_code))
    if named is not None and named.status == error.status_code:
        return named
    return ProblemType(str(error.default_code), error.status_code, str(error.default_detail), "")
