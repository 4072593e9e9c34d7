"""What a client has done with an action of its own: cancelled, or resumed where it failed."""

from collections.abc import Callable
from uuid import UUID

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.exceptions import UnsupportedMediaType, ValidationError
from rest_framework.request import Request

from api import catalogue
from api.bodies import report_body
from api.parsing import require_plain
from api.problems import MEDIA_TYPE_UNSUPPORTED, PARAMETERS_INVALID, ProblemError
from api.queries import read_query
from api.rendering import respond
from api.reports import find_action_report, find_report, id_of, respond_accepted, unknown_report
from api.schema import operations
from api.strictness import make_strict
from api.validation import errors_of
from api.views import ThrottledView
from api.visibility import Reader
from services import actions

_NO_BODY = "This request takes no body; send it without one."
_NOTHING: serializers.Serializer = serializers.Serializer()
make_strict(_NOTHING)


@operations.cancel_report
class CancelReportApi(ThrottledView):
    """Cancel an action."""

    http_method_names = ["post"]

    def post(self, request: Request, report_id: str) -> HttpResponse:
        """Cancel the client's own action; answer with its report, which is final."""
        _require_nothing(request)
        reader = Reader.of(request.user)
        report = find_action_report(id_of(report_id), owner=reader.id, which="is cancelled as a whole")
        _intervene(actions.cancel, report.id)
        return respond(report_body(find_report(report.id, owner=reader.id), reader))


@operations.retry_report
class RetryReportApi(ThrottledView):
    """Retry an action."""

    http_method_names = ["post"]

    def post(self, request: Request, report_id: str) -> HttpResponse:
        """Resume the client's own action at what is not ok; answer with its report."""
        _require_nothing(request)
        report = find_action_report(id_of(report_id), owner=request.user.pk, which="is retried as a whole")
        _require_permission(request, report.action)
        _intervene(actions.retry, report.id)
        return respond_accepted(report.id, request)


def _require_permission(request: Request, name: str) -> None:
    """Refuse what the client may not ask for any more, by the action's own permissions. Raises PermissionDenied."""
    action = catalogue.find(name)
    if action is not None:
        action(request=request, args=(), kwargs={}).check_permissions(request)


def _intervene(intervene: Callable[[UUID], object], report_id: UUID) -> None:
    try:
        intervene(report_id)
    except LookupError as error:  # purged since it was found
        raise unknown_report(report_id) from error


def _require_nothing(request: Request) -> None:
    """Refuse query parameters and a body. Raises ProblemError."""
    read_query(request)
    require_plain(request)
    try:
        _NOTHING.run_validation(request.data)
    except UnsupportedMediaType as error:
        raise ProblemError(MEDIA_TYPE_UNSUPPORTED, _NO_BODY) from error
    except ValidationError as error:
        raise ProblemError(PARAMETERS_INVALID, _NO_BODY, errors=errors_of(error.detail)) from error
