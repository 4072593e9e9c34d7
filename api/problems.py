"""Every error that the API answers, as RFC 9457 problems. Codes and types are stable: clients compare them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.urls import get_script_prefix

from api.rendering import dump

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem; ``advice`` tells a client what to do about it."""

    code: str
    status: int
    title: str
    advice: str

    @property
    def uri(self) -> str:
        """Return the reference that identifies the type and resolves to its page."""
        return problem_path(self.code) if self.code in PROBLEM_TYPES else "about:blank"


class ProblemError(Exception):
    """A request that cannot be served, and how to say so to the client."""

    def __init__(
        self,
        type_: ProblemType,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{type_.code}: {detail}")
        self.type = type_
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}
        self.members = members or {}


PROBLEM_TYPES: dict[str, ProblemType] = {}


def _problem_type(code: str, status: int, title: str, advice: str) -> ProblemType:
    return PROBLEM_TYPES.setdefault(code, ProblemType(code, status, title, advice))


BAD_REQUEST = _problem_type("bad_request", 400, "Bad request", "Correct the request; the detail says what is wrong.")
BODY_MALFORMED = _problem_type("body_malformed", 400, "The body is not JSON", "Send the body as valid JSON in UTF-8.")
QUERY_INVALID = _problem_type(
    "query_invalid",
    400,
    "The query parameters are not valid",
    "Correct or remove the parameters listed in errors. Unknown parameters are refused, not ignored.",
)
AUTHENTICATION_REQUIRED = _problem_type(
    "authentication_required", 401, "Authentication is required", "Send the header Authorization: Bearer <token>."
)
TOKEN_INVALID = _problem_type(
    "token_invalid",
    401,
    "The token is not valid",
    "The token is unknown, has expired, or its client was deactivated: ask the operator for a new one.",
)
PERMISSION_DENIED = _problem_type(
    "permission_denied", 403, "Permission denied", "This client may not do that; ask the operator for the permission."
)
NOT_FOUND = _problem_type("not_found", 404, "There is nothing here", "GET / tells where things are.")
ACTION_NOT_FOUND = _problem_type("action_not_found", 404, "There is no such action", "GET /actions lists all actions.")
REPORT_NOT_FOUND = _problem_type(
    "report_not_found",
    404,
    "There is no such report",
    "The report does not exist, or it belongs to another client. GET /reports lists your own. Reports are deleted some"
    " time after they have ended: 30 days, unless the operator has set another REPORT_RETENTION_DAYS.",
)
IDEMPOTENCY_KEY_INVALID = _problem_type(
    "idempotency_key_invalid",
    400,
    "The idempotency key is not valid",
    "Give the request a key of 1 to 255 ASCII characters, the same whenever you repeat it; a UUID does well.",
)
IDEMPOTENCY_KEY_REUSED = _problem_type(
    "idempotency_key_reused",
    422,
    "The idempotency key is that of another request",
    "Give every request a key of its own. The same key asks for the same action, body and timing, as they are sent.",
)
METHOD_NOT_ALLOWED = _problem_type(
    "method_not_allowed", 405, "Method not allowed", "Use one of the methods in the Allow header."
)
REPORT_FINAL = _problem_type(
    "report_final", 409, "The report is final", "There is nothing left to cancel; read the report for its outcome."
)
REPORT_NOT_RETRYABLE = _problem_type(
    "report_not_retryable",
    409,
    "The report cannot be retried",
    "Only an action that has failed or was cancelled is retried; links.retry of its report says so.",
)
LENGTH_REQUIRED = _problem_type(
    "length_required", 411, "The length of the body is required", "Send the body at once, with Content-Length."
)
BODY_TOO_LARGE = _problem_type("body_too_large", 413, "The body is too large", "Send less at once.")
MEDIA_TYPE_UNSUPPORTED = _problem_type(
    "media_type_unsupported",
    415,
    "The media type is not supported",
    "Send the header Content-Type: application/json, and the body uncompressed.",
)
PARAMETERS_INVALID = _problem_type(
    "parameters_invalid",
    422,
    "The parameters are not valid",
    "Correct the fields listed in errors. Unknown fields are refused, not ignored.",
)
PLAN_TOO_LARGE = _problem_type(
    "plan_too_large", 422, "The action would have too many tasks", "Ask for less at once, in several requests."
)
BATCH_REFUSED = _problem_type(
    "batch_refused",
    422,
    "Some requests of the batch cannot be accepted",
    "Correct the requests listed in errors, or send the batch without atomic. Nothing of it was accepted.",
)
THROTTLED = _problem_type(
    "throttled",
    429,
    "Too many requests",
    "Wait for the seconds in Retry-After; RateLimit tells what is left of a quota.",
)
INTERNAL_ERROR = _problem_type(
    "internal_error", 500, "The service failed", "It is not your request's fault. The operator finds it in the log."
)
OVERLOADED = _problem_type(
    "overloaded",
    503,
    "The service has more work than it takes",
    "Repeat what was refused after the seconds in Retry-After: none of it was accepted. Reports are answered all the"
    " while.",
)
SERVICE_UNAVAILABLE = _problem_type(
    "service_unavailable",
    503,
    "The service is not available right now",
    "Repeat the request after the seconds in Retry-After. A POST may have been accepted before: with the same"
    " Idempotency-Key it is not accepted twice, and GET /reports lists what was.",
)


def problem_path(code: str) -> str:
    """Return the path of the page about a type of problem."""
    return f"{get_script_prefix()}problems/{code}"


def type_of_status(status: HTTPStatus) -> ProblemType:
    """Return the type of problem that says no more than this status does."""
    known = next((type_ for type_ in PROBLEM_TYPES.values() if type_.status == status), None)
    return known or ProblemType(status.name.lower(), status, status.phrase, "")


def problem_response(problem: ProblemError) -> HttpResponse:
    """Return the answer to a request that cannot be served."""
    response = HttpResponse(
        dump(problem_body(problem)),
        content_type=CONTENT_TYPE,
        status=problem.type.status,
        headers=dict(problem.headers),
    )
    # Django would log an error for each client that is told so; the log has it once.
    vars(response)["_has_been_logged"] = problem.type is OVERLOADED
    return response


def problem_body(problem: ProblemError) -> dict[str, Any]:
    """Return the document that says why a request cannot be served."""
    document: dict[str, Any] = {
        "type": problem.type.uri,
        "title": problem.type.title,
        "status": problem.type.status,
        "code": problem.type.code,
        "detail": problem.detail,
        **problem.members,
    }
    if problem.errors:
        document["errors"] = problem.errors
    return document
