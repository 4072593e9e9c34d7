"""What every action's operation takes and answers beside its own parameters and report."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema_serializer
from rest_framework import serializers

from api.idempotency import KEY, KEY_HEADER, REPLAYED
from api.schema import documents, errors
from api.schema.fields import constant
from api.timing import LONGEST_SECONDS

BIGGEST_BATCH = 1000


def _moment(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "string", "format": "date-time"}, description=description)


def _seconds(name: str, description: str, *, least: int) -> OpenApiParameter:
    schema = {"type": "integer", "minimum": least, "maximum": LONGEST_SECONDS}
    return OpenApiParameter(name, schema, description=description)


def _header(
    name: str, description: str, schema: dict[str, Any], *, response: list[int] | None = None
) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=description, response=response or False)


# Of a batch as well, where they hold for each of its requests.
QUERY = (
    _moment("run_at", "When to run, instead of now: RFC 3339 with an offset, within the next five years."),
    _seconds("delay", "Seconds from now after which to run; instead of run_at.", least=0),
    _moment("expires_at", "The action fails, with the code expired, unless it has started by then."),
    _seconds("expires_in", "Seconds from now after which it expires; instead of expires_at.", least=1),
    OpenApiParameter(
        "validate_only",
        {"type": "boolean", "default": False},
        description=(
            "Find out whether it would be accepted. Nothing is: no report, no use of a key. Keys are not compared: that"
            " one stands for another request is not told."
        ),
    ),
)
HEADERS = (
    _header(
        "Idempotency-Key",
        "Your own name for this request, such as a UUID, with or without quotation marks. Repeated with the same key,"
        " it has the same report, and is not accepted twice; something else with the same key is refused: another"
        " action, body or timing. Those are compared as they were sent: JSON values and query parameters, before"
        " defaults. A key is yours alone. It protects as long as its report exists, and is free again when that is"
        " deleted: some time after it has ended, 30 days unless the operator has set another.",
        {"type": "string", "pattern": KEY_HEADER},
    ),
    _header(
        "Prefer",
        "RFC 7240: wait=10 to be answered when the report is final, or after so many seconds; respond-async to be"
        " answered at once, which is done without it too. What is unknown or malformed is ignored.",
        {"type": "string"},
    ),
    _header(
        "Location",
        "Where the report is: a URI reference, relative to the service.",
        {"type": "string", "format": "uri-reference"},
        response=[200, 202],
    ),
    _header(
        REPLAYED,
        "true where the request repeats one with the same key, whose report this is. Not there otherwise.",
        {"type": "string", "const": "true"},
        response=[200, 202],
    ),
    _header(
        "Preference-Applied",
        "RFC 7240: what was done of what Prefer asks for. wait has the seconds that were waited for at most.",
        {"type": "string"},
        response=[200, 202],
    ),
)


@extend_schema_serializer(component_name="Validation")
class ValidationDocument(serializers.Serializer):
    """What a request comes to that would be accepted. Nothing is kept of it."""

    kind = constant("validation")
    action = serializers.CharField(help_text="Name of the action.")
    parameters = serializers.JSONField(help_text="The parameters as the report would show them, with defaults.")
    tasks = serializers.IntegerField(min_value=0, help_text="How many tasks it would have to begin with.")
    not_before = serializers.DateTimeField(allow_null=True, help_text="It would not start earlier.")
    deadline_at = serializers.DateTimeField(allow_null=True, help_text="It would have to start until then.")


@extend_schema_serializer(component_name="BatchItem")
class BatchItemDocument(serializers.Serializer):
    """What became of one request of a batch."""

    status = serializers.IntegerField(
        help_text="The status that it would have been answered with on its own; 200 with validate_only."
    )
    replayed = serializers.BooleanField(help_text="Whether it repeats one with the same key, whose report this is.")
    report = documents.ReportSummaryDocument(allow_null=True, help_text="Where it is accepted.")
    problem = errors.ProblemDocument(allow_null=True, help_text="Where it is refused.")


@extend_schema_serializer(component_name="Batch")
class BatchDocument(serializers.Serializer):
    """What became of the requests of a batch, in their order."""

    refused = serializers.IntegerField(min_value=0, help_text="How many of them are refused.")
    items = BatchItemDocument(many=True)


def batch_request(component: str, parameters: serializers.Serializer) -> type[serializers.Serializer]:
    """Return the serializer of a batch of requests that have these parameters."""
    item = _component(
        f"{component}BatchItem",
        "One request of a batch.",
        parameters=parameters,
        idempotency_key=serializers.RegexField(
            KEY,
            required=False,
            allow_null=True,
            help_text="As the header Idempotency-Key of one request, without quotation marks.",
        ),
    )
    return _component(
        f"{component}Batch",
        "Several requests for one action.",
        requests=serializers.ListSerializer(child=item(), min_length=1, max_length=BIGGEST_BATCH),
        atomic=serializers.BooleanField(
            default=False, help_text="Accept all of them or none. Without it, accept those that can be accepted."
        ),
    )


def _component(name: str, description: str, **fields: Any) -> type[serializers.Serializer]:
    declared = type(name, (serializers.Serializer,), {"__doc__": description, **fields})
    return extend_schema_serializer(component_name=name)(declared)
