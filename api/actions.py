"""An action's endpoint: from its class come the route, the catalogue entry and the typed OpenAPI operation."""

from collections.abc import Callable
from typing import Any, ClassVar

from celery.canvas import Signature
from django.conf import settings
from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.fields import Field
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from api import catalogue, declaration
from api.parsing import require_plain
from api.problems import BODY_TOO_LARGE, PARAMETERS_INVALID, ProblemError
from api.queries import read_query
from api.reports import respond_accepted
from api.schema.operations import describe_action
from api.timing import TIMING_PARAMETERS, timing_of
from reports.documents import dump
from reports.errors import DocumentInvalidError, DocumentTooLargeError
from services import actions
from tasks.canvas import plan_of

JsonObject = dict[str, Any]


class ActionApi(APIView):
    """What an action's class inherits; see docs/adding-an-action.md.

    A subclass has a docstring (clients read it) and

    - ``name``: its URL is ``/actions/<name>``;
    - ``canvas``: the ``@chainable`` that returns its signatures. It is called with the parameters by name, as JSON
      values: a date or a decimal arrives as the string that the client sent;
    - ``InputSerializer``: the parameters. JSON is taken strictly: "5" is no integer, unknown fields are refused;
    - ``OutputSerializer``: what ``result`` will be; a serializer class, or a field such as ``ListField(child=…)``;
    - ``time_budget``: the seconds that it may run; it fails, ``timed_out``, when it takes longer. None without a limit;
    - ``permission_classes``, where not every client may ask for it.

    What is wrong with these stops the start. ``class TeamActionApi(ActionApi, abstract=True)`` is no action itself.
    """

    http_method_names = ["post"]
    permission_classes = [IsAuthenticated]

    time_budget: ClassVar[float | None] = None

    name: ClassVar[str]
    canvas: ClassVar[Callable[..., tuple[Signature[Any], ...]]]
    description: ClassVar[str]
    parameters: ClassVar[serializers.Serializer]
    result: ClassVar[Field]
    report_document: ClassVar[type[serializers.Serializer]]

    def __init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if abstract:
            return
        canvas = declaration.checked_canvas(cls)
        cls.name = declaration.checked_name(cls)
        cls.canvas = staticmethod(canvas)
        cls.description = declaration.checked_description(cls)
        cls.parameters = declaration.checked_input(cls, canvas)
        cls.result = declaration.checked_output(cls)
        declaration.check_time_budget(cls)
        catalogue.register(cls)
        describe_action(cls)

    def post(self, request: Request) -> HttpResponse:
        """Accept the action: answer with its report, which is pending."""
        timing = timing_of(read_query(request, *TIMING_PARAMETERS), time_budget=self.time_budget)
        require_plain(request)
        parameters = self.validated(request.data)
        plan = plan_of(self.canvas(**parameters))
        report = actions.request(self.name, plan, parameters=parameters, requested_by=request.user.pk, timing=timing)
        return respond_accepted(report, request)

    @classmethod
    def validated(cls, data: Any) -> JsonObject:
        """Return the parameters as JSON values, with defaults. Raises ValidationError and ProblemError."""
        # One serializer for all requests: without data of its own it has no state, and building it costs more than
        # what it does.
        valid = cls.parameters.run_validation(data)
        fields = cls.parameters.fields
        parameters = {
            name: value
            for name, value in cls.parameters.to_representation(valid).items()
            if _is_given(fields[name], valid)
        }
        _refuse_unkeepable(parameters)
        return parameters


def _is_given(field: Field, valid: JsonObject) -> bool:
    # DRF shows a field that was left out as null where it may be null; the canvas has a default of its own.
    return not field.source_attrs or field.source_attrs[0] in valid


def _refuse_unkeepable(parameters: JsonObject) -> None:
    try:
        dump(parameters, limit=settings.REPORT_MAX_PARAMETERS_BYTES, what="The parameters")
    except DocumentTooLargeError as error:
        raise ProblemError(BODY_TOO_LARGE, str(error)) from error
    except DocumentInvalidError as error:
        errors = [{"pointer": "#", "code": error.code, "detail": str(error)}]
        raise ProblemError(PARAMETERS_INVALID, str(error), errors=errors) from error
