"""Serializers that describe what the API answers, for the OpenAPI document alone: ``api.bodies`` writes the answers.

Some fields have the names of a serializer's own attributes. DRF takes fields out of the class: neither hides the other.
"""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.fields import Field

from api.bodies import LISTED_PARAMETERS
from api.schema.errors import AttemptErrorDocument, ErrorCodeDocument, ErrorDocument
from api.schema.fields import ReferenceField, constant, described
from reports.models import Kind, Status

STATUS = "Status"


StatusField = described(
    {
        "type": "string",
        "enum": Status.values,
        "description": "pending and running are under way; ok, failed and cancelled are final.",
    },
    component=STATUS,
)
KindField = described({"type": "string", "enum": Kind.values}, component="TaskKind")


@extend_schema_serializer(component_name="Progress")
class ProgressDocument(serializers.Serializer):
    """How far a task is, as it has last said itself."""

    current = serializers.FloatField()
    total = serializers.FloatField(allow_null=True)
    message = serializers.CharField()


@extend_schema_serializer(component_name="Counts")
class CountsDocument(serializers.Serializer):
    """How many are planned so far, and how many of them are ok. The total may grow.

    tasks counts tasks alone, without chains and groups; children counts whatever is directly below.
    """

    total = serializers.IntegerField(min_value=0)
    ok = serializers.IntegerField(min_value=0)


@extend_schema_serializer(component_name="ReportLinks")
class ReportLinksDocument(serializers.Serializer):
    """Where an action's report and its tasks are, and what may be done with it next."""

    self = ReferenceField()
    tasks = ReferenceField()
    events = ReferenceField(required=False, help_text="GET it to hear of changes. Until it is final.")
    cancel = ReferenceField(required=False, help_text="POST there to cancel it. Until it is final.")
    retry = ReferenceField(required=False, help_text="POST there to retry it. Once it is failed or cancelled.")


@extend_schema_serializer(component_name="TaskLinks")
class TaskLinksDocument(serializers.Serializer):
    """Where a task's report is."""

    self = ReferenceField()


@extend_schema_serializer(component_name="ReportSummary")
class ReportSummaryDocument(serializers.Serializer):
    """An action's report without its earlier errors and result."""

    id = serializers.UUIDField()
    kind = constant("action")
    action = serializers.CharField(help_text="Name of the action.")
    idempotency_key = serializers.CharField(
        allow_null=True, help_text="The key that the request came with; null where it had none."
    )
    status = StatusField()
    progress = ProgressDocument(allow_null=True)
    tasks = CountsDocument()
    retries = serializers.IntegerField(min_value=0, help_text="How often a client has retried it.")
    error = ErrorDocument(allow_null=True)
    created_at = serializers.DateTimeField()
    not_before = serializers.DateTimeField(
        allow_null=True, help_text="It does not start earlier. Null without a schedule, and after a retry."
    )
    deadline_at = serializers.DateTimeField(
        allow_null=True,
        help_text=(
            "When it fails: unless it has started by then, or is final once it has started. Null once it has started,"
            " unless it has a time budget. Workers check it, so it may be some seconds late. After a retry, the"
            " deadline of the request applies no longer."
        ),
    )
    started_at = serializers.DateTimeField(
        allow_null=True, help_text="Start of the newest attempt; after a retry, null until it starts again."
    )
    finished_at = serializers.DateTimeField(allow_null=True)
    queued_seconds = serializers.FloatField(
        allow_null=True,
        min_value=0,
        help_text="How long it waited for its start: since it was asked for, or retried, or since not_before.",
    )
    run_seconds = serializers.FloatField(
        allow_null=True, min_value=0, help_text="How long it ran, from its start to its end; null until it is final."
    )
    links = ReportLinksDocument()
    parameters = serializers.JSONField(
        help_text=f"What was asked for; null where it has more than {LISTED_PARAMETERS} characters: read the report.",
    )


@extend_schema_serializer(component_name="Report")
class ReportDocument(ReportSummaryDocument):
    """The report of an action, whichever it is."""

    errors = AttemptErrorDocument(many=True, help_text="Why it failed before it was retried, oldest first.")  # type: ignore[assignment]
    parameters = serializers.JSONField(help_text="What was asked for.")
    result = serializers.JSONField(help_text="What the action returned, once it is ok.")


@extend_schema_serializer(component_name="TaskSummary")
class TaskSummaryDocument(serializers.Serializer):
    """One task of an action, or a chain or group of them, without its result."""

    id = serializers.UUIDField()
    kind = KindField()
    report = serializers.UUIDField(help_text="Id of the action's report.")
    parent = serializers.UUIDField(help_text="Id of the report directly above.")  # type: ignore[assignment]
    position = serializers.IntegerField(min_value=0, help_text="Place among the children of the parent.")
    action = serializers.CharField(help_text="Name of the action.")
    task = serializers.CharField(
        allow_null=True,
        help_text="Name of the task that is, or became, this; null where the plan itself has a chain or group.",
    )
    status = StatusField()
    progress = ProgressDocument(allow_null=True)
    children = CountsDocument()
    attempts = serializers.IntegerField(min_value=0, help_text="How often it was started.")
    errors = AttemptErrorDocument(many=True)  # type: ignore[assignment]
    error = ErrorDocument(allow_null=True)
    created_at = serializers.DateTimeField()
    dispatched_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was handed out, or will be under a schedule."
    )
    not_before = serializers.DateTimeField(
        allow_null=True, help_text="It waits until then: for its schedule, or for another attempt."
    )
    started_at = serializers.DateTimeField(allow_null=True, help_text="Start of the newest attempt.")
    finished_at = serializers.DateTimeField(allow_null=True)
    queued_seconds = serializers.FloatField(
        allow_null=True, min_value=0, help_text="How long its newest attempt waited for a worker."
    )
    run_seconds = serializers.FloatField(
        allow_null=True,
        min_value=0,
        help_text="How long its newest attempt ran, once it is final; a chain or group, since its turn had come.",
    )
    links = TaskLinksDocument()


@extend_schema_serializer(component_name="TaskReport")
class TaskDocument(TaskSummaryDocument):
    """One task of an action, or a chain or group of them."""

    result = serializers.JSONField(help_text="What it returned, once it is ok.")


class AnyReportDocument(serializers.Serializer):
    """Stands for the report of any action; ``api.schema.extensions`` lists them."""


@extend_schema_serializer(component_name="ReportPage")
class ReportPageDocument(serializers.Serializer):
    """Some reports; next_cursor asks for those that follow."""

    items = ReportSummaryDocument(many=True)
    next_cursor = serializers.CharField(allow_null=True)


@extend_schema_serializer(component_name="TaskPage")
class TaskPageDocument(serializers.Serializer):
    """Some tasks of a report; next_cursor asks for those that follow."""

    items = TaskSummaryDocument(many=True)
    next_cursor = serializers.CharField(allow_null=True)


@extend_schema_serializer(component_name="Action")
class ActionDocument(serializers.Serializer):
    """Something that a client may ask for."""

    name = serializers.CharField()
    description = serializers.CharField()
    url = ReferenceField(help_text="POST the parameters there.")
    restricted = serializers.BooleanField(
        help_text="Whether a client needs a permission of the operator's to ask for it."
    )
    errors = ErrorCodeDocument(many=True, help_text="Beside those that every action may fail with.")  # type: ignore[assignment]
    filterable = serializers.ListField(
        child=serializers.CharField(), help_text="The parameters that its reports can be listed by."
    )


@extend_schema_serializer(component_name="ActionCatalogue")
class ActionCatalogueDocument(serializers.Serializer):
    """All actions."""

    items = ActionDocument(many=True)


def named(declared: type[serializers.Serializer], component: str) -> type[serializers.Serializer]:
    """Return a subclass of an author's serializer that has its own name in the document."""
    subclass = type(component, (declared,), {"__doc__": declared.__dict__.get("__doc__")})
    return extend_schema_serializer(component_name=component)(subclass)


def report_document(
    component: str,
    *,
    action: str,
    parameters: serializers.Serializer,
    result: Field,
    error: serializers.Serializer,
) -> type[serializers.Serializer]:
    """Return the serializer of one action's report: its name, parameters, result and error codes are known."""
    fields: dict[str, Any] = {"action": constant(action), "parameters": parameters, "result": result, "error": error}
    document = type(component, (ReportDocument,), {"__doc__": f"The report of {action}.", **fields})
    return extend_schema_serializer(component_name=component)(document)
