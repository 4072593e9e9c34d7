"""The OpenAPI operation of every endpoint: its name in SDKs, parameters and answers."""

from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import serializers

from api import problems
from api.problems import ProblemType
from api.queries import BIGGEST_LIMIT, DEFAULT_LIMIT
from api.schema import documents, errors, examples, reading

_LIMIT = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": BIGGEST_LIMIT, "default": DEFAULT_LIMIT},
    description="How many items at most.",
)
_CURSOR = OpenApiParameter(
    "cursor",
    str,
    description="The next_cursor of the page before. Repeat all other parameters as they were; limit may change.",
)
_ID = OpenApiParameter(
    "report_id", {"type": "string", "format": "uuid"}, OpenApiParameter.PATH, description="Id of the report."
)
REFUSALS_OF_BODIES = (
    problems.BODY_MALFORMED,
    problems.LENGTH_REQUIRED,
    problems.BODY_TOO_LARGE,
    problems.MEDIA_TYPE_UNSUPPORTED,
    problems.PARAMETERS_INVALID,
)
_EVERYWHERE = (
    problems.BAD_REQUEST,
    problems.QUERY_INVALID,
    problems.AUTHENTICATION_REQUIRED,
    problems.TOKEN_INVALID,
    problems.METHOD_NOT_ALLOWED,
    problems.THROTTLED,
    problems.INTERNAL_ERROR,
    problems.SERVICE_UNAVAILABLE,
)

_LOCATION = OpenApiParameter(
    "Location",
    {"type": "string", "format": "uri-reference"},
    OpenApiParameter.HEADER,
    description="Where the report is: a URI reference, relative to the service.",
    response=[202],
)


_RETRY_AFTER = (
    "Seconds after which it makes sense to read the report again; with 429 and 503, after which to repeat the request."
    " There is none once the report is final."
)


def retry_after(*statuses: int, description: str = _RETRY_AFTER) -> OpenApiParameter:
    # One for all statuses of an operation: of two with a name, drf-spectacular keeps the last.
    return OpenApiParameter(
        "Retry-After",
        {"type": "integer", "minimum": 1},
        OpenApiParameter.HEADER,
        description=description,
        response=[*statuses, problems.THROTTLED.status, problems.SERVICE_UNAVAILABLE.status],
    )


def responses(
    status: int, document: type[serializers.Serializer], description: str, *types: ProblemType
) -> dict[int | tuple[int, str], OpenApiResponse]:
    """Return an operation's answers: the good one, and a problem for each status of ``types``."""
    return {status: OpenApiResponse(document, description=description), **_refusals(*types)}


def _refusals(*types: ProblemType) -> dict[int | tuple[int, str], OpenApiResponse]:
    kinds: dict[int, list[str]] = {}
    for type_ in sorted((*_EVERYWHERE, *types), key=lambda type_: type_.status):
        kinds.setdefault(type_.status, []).append(f"`{type_.code}`: {type_.title}.")
    return {
        (status, problems.CONTENT_TYPE): OpenApiResponse(errors.ProblemDocument, description=" ".join(kinds_of_status))
        for status, kinds_of_status in kinds.items()
    }


list_actions = extend_schema_view(
    get=extend_schema(
        operation_id="list_actions",
        examples=[examples.answered(200, examples.CATALOGUE)],
        summary="List actions",
        description="All actions, in the order of their names.",
        tags=["actions"],
        parameters=[retry_after()],
        responses=responses(200, documents.ActionCatalogueDocument, "All actions."),
    )
)
get_report = extend_schema_view(
    get=extend_schema(
        operation_id="get_report",
        examples=[examples.answered(200, examples.OK)],
        summary="Read a report",
        description=(
            "The report of an action, or of one of its tasks. Ask again until its status is final: ok, failed or"
            " cancelled. kind tells whether it is an action's, and action whose parameters and result it has."
        ),
        tags=["reports"],
        parameters=[
            *(_ID, reading.IF_NONE_MATCH, reading.PREFER),
            *(reading.ETAG, reading.PREFERENCE_APPLIED, retry_after(200, 304)),
        ],
        responses={
            **responses(200, documents.AnyReportDocument, "The report.", problems.REPORT_NOT_FOUND),
            304: OpenApiResponse(description="You have the newest version."),
        },
    )
)
watch_report = extend_schema_view(
    get=extend_schema(
        operation_id="watch_report",
        examples=[examples.answered(200, examples.EVENTS, "text/event-stream")],
        summary="Hear of a report's changes",
        description=(
            "Server-Sent Events, of an action's report: one for the newest state, and one for each change, until it is"
            " final; quick changes come as one. The data of each is the report, as JSON; its id is the report's ETag"
            " without quotation marks, and is for the header Last-Event-ID. The stream begins with retry, the"
            " milliseconds after which to come back; a comment, a line that begins with a colon, comes every 15 seconds"
            " unless there is an event. The service ends the stream after some minutes, and when it is restarted: come"
            " back with that header. It answers 204 where the report is final and you have it. Not for generated SDKs,"
            " which read an answer as a whole: take a client for Server-Sent Events that sends headers, or poll."
        ),
        tags=["reports"],
        parameters=[_ID, reading.LAST_EVENT_ID, retry_after()],
        responses={
            (200, "text/event-stream"): OpenApiResponse(
                {"description": "Server-Sent Events."}, description="The events, until the report is final."
            ),
            204: OpenApiResponse(description="The report is final, and you have had its last event."),
            **_refusals(problems.REPORT_NOT_FOUND),
        },
    )
)
list_reports = extend_schema_view(
    get=extend_schema(
        operation_id="list_reports",
        examples=[examples.answered(200, examples.REPORTS)],
        summary="List reports",
        description=(
            "The reports of the actions that you have asked for, and that fit all parameters. Reports that arrive"
            " meanwhile change no page that follows."
        ),
        tags=["reports"],
        parameters=[
            retry_after(),
            _LIMIT,
            _CURSOR,
            *reading.FILTERS,
        ],
        responses=responses(200, documents.ReportPageDocument, "A page of reports."),
    )
)
list_report_tasks = extend_schema_view(
    get=extend_schema(
        operation_id="list_report_tasks",
        examples=[examples.answered(200, examples.TASKS)],
        summary="List the tasks of a report",
        description=(
            "Every task, chain and group of an action, in the order they were planned; parent makes it a tree. A task"
            " that returned further work is shown as a chain from then on."
        ),
        tags=["reports"],
        parameters=[_ID, _LIMIT, _CURSOR, retry_after()],
        responses=responses(200, documents.TaskPageDocument, "A page of tasks.", problems.REPORT_NOT_FOUND),
    )
)
cancel_report = extend_schema_view(
    post=extend_schema(
        operation_id="cancel_report",
        examples=[examples.answered(200, examples.CANCELLED)],
        summary="Cancel an action",
        description=(
            "Make your own action final as cancelled: nothing more of it starts. A task that is running is not awaited."
            " It may be repeated: a second time it answers 409, `report_final`, and the report says cancelled."
        ),
        tags=["reports"],
        parameters=[_ID, retry_after()],
        request=None,
        responses=responses(
            200,
            documents.AnyReportDocument,
            "The report, which is cancelled.",
            problems.REPORT_NOT_FOUND,
            problems.REPORT_FINAL,
            *REFUSALS_OF_BODIES,
        ),
    )
)
retry_report = extend_schema_view(
    post=extend_schema(
        operation_id="retry_report",
        examples=[examples.answered(202, examples.RETRIED)],
        summary="Retry an action",
        description=(
            "Resume your own action, which has failed or was cancelled, at what is not ok yet, and at once: what is ok"
            " does not run again, and the schedule and the deadline of the request apply no longer. Not idempotent, and"
            " Idempotency-Key has no effect: where the answer is lost, read the report, and compare its retries with"
            " what they were, before you repeat it."
        ),
        tags=["reports"],
        parameters=[_ID, _LOCATION, retry_after(202)],
        request=None,
        responses=responses(
            202,
            documents.AnyReportDocument,
            "Accepted; the action goes on.",
            problems.PERMISSION_DENIED,
            problems.REPORT_NOT_FOUND,
            problems.REPORT_NOT_RETRYABLE,
            *REFUSALS_OF_BODIES,
        ),
    )
)
