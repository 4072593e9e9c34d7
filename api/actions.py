"""An action's endpoint: from its class come the route, the catalogue entry and the typed OpenAPI operation."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from celery.canvas import Signature
from django.conf import settings
from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.fields import Field
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from api import catalogue, declaration
from api.admission import require_room
from api.answers import respond_submitted
from api.bodies import validation_body
from api.idempotency import key_of
from api.parsing import require_plain
from api.problems import BODY_TOO_LARGE, PARAMETERS_INVALID, ProblemError
from api.queries import is_set, read_query
from api.rendering import respond
from api.restrictions import MayRequest
from api.schema.actions import describe_action
from api.submission import REFUSALS, VALIDATE_ONLY, Submission, timing_in
from api.timing import TIMING_PARAMETERS, timing_of
from api.views import ThrottledView
from reports import repeats, requests
from reports.acceptance import Accepted
from reports.codes import ErrorCode
from reports.documents import dump
from reports.errors import DocumentInvalidError, DocumentTooLargeError
from reports.plan import ChainNode
from reports.requests import Timing
from services import actions
from tasks.canvas import plan_of

JsonObject = dict[str, Any]


class ActionApi(ThrottledView):
    """What an action's class inherits; see docs/adding-an-action.md.

    A subclass has a docstring (clients read it) and

    - ``name``: its URL is ``/actions/<name>``;
    - ``canvas``: the ``@chainable`` that returns its signatures. It is called with the parameters by name, as JSON
      values: a date or a decimal arrives as the string that the client sent;
    - ``InputSerializer``: the parameters. JSON is taken strictly: "5" is no integer, unknown fields are refused;
    - ``OutputSerializer``: what ``result`` will be; a serializer class, or a field such as ``ListField(child=…)``;
    - ``example``: parameters such as a client may send, for the documentation;
    - ``errors``: the classes of the exceptions that it fails with, each with a ``code``, a docstring that tells
      clients what the code means, and ``retryable``, True or False, where one knows whether a retry makes sense;
    - ``time_budget``: the seconds that it may run; it fails, ``timed_out``, when it takes longer. None without a limit;
    - ``restricted``: True where only clients may ask for it that were granted the permission for it;
    - ``filterable``: parameters that clients may list its reports by, such as ("customer_id",);
    - ``permission_classes``, where who may depends on more than that.

    What is wrong with these stops the start. ``class TeamActionApi(ActionApi, abstract=True)`` is no action itself.
    """

    http_method_names = ["post"]
    permission_classes = [IsAuthenticated]

    example: ClassVar[dict[str, Any] | None] = None
    errors: ClassVar[Sequence[type[Exception]]] = ()
    time_budget: ClassVar[float | None] = None
    restricted: ClassVar[bool] = False
    filterable: ClassVar[tuple[str, ...]] = ()

    name: ClassVar[str]
    canvas: ClassVar[Callable[..., tuple[Signature[Any], ...]]]
    description: ClassVar[str]
    parameters: ClassVar[serializers.Serializer]
    result: ClassVar[Field]
    error_codes: ClassVar[tuple[ErrorCode, ...]]
    request_document: ClassVar[type[serializers.Serializer]]
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
        cls.filterable = declaration.checked_filterable(cls, cls.parameters)
        cls.result = declaration.checked_output(cls)
        cls.example = declaration.checked_example(cls, cls.parameters)
        cls.error_codes = declaration.checked_errors(cls)
        declaration.check_time_budget(cls)
        declaration.check_restricted(cls)
        catalogue.register(cls)
        describe_action(cls)

    def get_permissions(self) -> list[Any]:
        """Return what has to be true of a client. Whoever overrides ``permission_classes`` keeps the restriction."""
        return [*super().get_permissions(), MayRequest()]

    def post(self, request: Request) -> HttpResponse:
        """Accept the action: answer with its report, final where the client has waited for that."""
        query = read_query(request, *TIMING_PARAMETERS, VALIDATE_ONLY)
        require_plain(request)
        submission = Submission(request.data, timing_in(query), key_of(request))
        if is_set(query, VALIDATE_ONLY):
            return respond(validation_body(self.understood(submission, self.timing_by(submission.timing))))
        return respond_submitted(self._accept(submission, requested_by=request.user.pk), request)

    def _accept(self, submission: Submission, *, requested_by: int | None) -> Accepted:
        try:
            require_room()
            wanted = self.understood(submission, self.timing_by(submission.timing))
        except REFUSALS:
            # What was accepted has its report, also where it would be refused by now: when its time has passed, or
            # there is no room for more.
            repeated = self.find_repeated([submission], requested_by=requested_by)
            if repeated[0] is None:
                raise
            return repeated[0]
        [outcome] = actions.request_all([wanted], requested_by=requested_by)
        if isinstance(outcome, Accepted):
            return outcome
        raise outcome

    @classmethod
    def timing_by(cls, query: Mapping[str, str]) -> Timing:
        """Return when the action may run, and for how long. Raises ProblemError."""
        return timing_of(query, time_budget=cls.time_budget)

    @classmethod
    def understood(cls, submission: Submission, timing: Timing) -> requests.Request:
        """Return what a submission comes to: its parameters and the plan for them. Raises one of REFUSALS."""
        parameters = cls.validated(submission.parameters)
        return requests.Request.of(
            cls.name,
            cls._plan_for(parameters),
            parameters=parameters,
            filters={name: parameters[name] for name in cls.filterable if parameters.get(name) is not None},
            timing=timing,
            identity=submission.identity(cls.name),
        )

    @classmethod
    def _plan_for(cls, parameters: JsonObject) -> ChainNode:
        try:
            return plan_of(cls.canvas(**parameters))
        except DocumentTooLargeError as error:  # it is the parameters that become a task's arguments
            raise ProblemError(BODY_TOO_LARGE, str(error)) from error

    @classmethod
    def find_repeated(
        cls, submissions: Sequence[Submission | None], *, requested_by: int | None
    ) -> list[Accepted | None]:
        """Return the report of each submission that the client has made before, with the same key."""
        identities = [submission.identity(cls.name) if submission else None for submission in submissions]
        known = repeats.find_repeated(requested_by, {identity for identity in identities if identity})
        return [Accepted(known[identity], repeated=True) if identity in known else None for identity in identities]

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
