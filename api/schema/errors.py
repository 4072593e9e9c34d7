"""What the API answers about errors: those of reports, and the problems of requests. For the OpenAPI document alone."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.fields import Field

from api.problems import PROBLEM_TYPES
from api.schema.fields import ReferenceField, described
from reports.codes import ENGINE_CODES, ErrorCode

_CODE_HELP = "Stable; compare this one. /errors/<code> tells what it means. There may be new ones."
_RETRYABLE_HELP = (
    "Whether a retry makes sense. True: it may succeed. False: it fails again until something else is changed."
    " Null: nobody knows."
)


@extend_schema_serializer(component_name="ReportError")
class ErrorDocument(serializers.Serializer):
    """Why an action or a task failed."""

    code = serializers.CharField(help_text=_CODE_HELP)
    type = serializers.CharField(help_text="Class of the exception.")
    message = serializers.CharField(help_text="For people.")
    retryable = serializers.BooleanField(allow_null=True, help_text=_RETRYABLE_HELP)
    task = serializers.CharField(
        allow_null=True, help_text="Name of the task that failed; null where none did, as when the action expired."
    )
    traceback = serializers.CharField(required=False, help_text="For clients with the right to see it.")


@extend_schema_serializer(component_name="AttemptError")
class AttemptErrorDocument(serializers.Serializer):
    """Why one attempt failed: one at a task, or an action before it was retried."""

    attempt = serializers.IntegerField(min_value=1)
    code = serializers.CharField()
    type = serializers.CharField()
    message = serializers.CharField()
    retryable = serializers.BooleanField(allow_null=True, help_text=_RETRYABLE_HELP)
    task = serializers.CharField(
        allow_null=True, help_text="Name of the task that failed; null where none did, as when the action expired."
    )
    traceback = serializers.CharField(
        required=False, help_text="For clients with the right to see it, where the report is read by itself."
    )
    started_at = serializers.DateTimeField(allow_null=True)
    failed_at = serializers.DateTimeField(allow_null=True)


@extend_schema_serializer(component_name="ErrorCode")
class ErrorCodeDocument(serializers.Serializer):
    """A code that an action may fail with, and what it means."""

    code = serializers.CharField()
    retryable = serializers.BooleanField(allow_null=True, help_text=_RETRYABLE_HELP)
    description = serializers.CharField()


def error_document(component: str, *, action: str, codes: Sequence[ErrorCode]) -> type[serializers.Serializer]:
    """Return the serializer of one action's error: its codes are known, and new ones may come."""
    known = [*(code.code for code in codes), *ENGINE_CODES]
    code = {"type": "string", "description": f"{_CODE_HELP} Known: {', '.join(known)}.", "examples": known}
    fields: dict[str, Any] = {"code": described(code)()}
    document = type(component, (ErrorDocument,), {"__doc__": f"Why {action} has failed.", **fields})
    return extend_schema_serializer(component_name=component)(document)


@extend_schema_serializer(component_name="ProblemError")
class ProblemErrorDocument(serializers.Serializer):
    """One thing that is wrong with a request: in its body (pointer) or in its query (parameter)."""

    pointer = serializers.CharField(required=False, help_text="JSON pointer into the body, such as #/lines/0/amount.")
    parameter = serializers.CharField(required=False, help_text="Name of the query parameter.")
    code = serializers.CharField(
        help_text=(
            "What is wrong. Of a field: Django REST framework's codes, such as required, null, blank, invalid,"
            " max_length or min_value, and invalid_type, unknown_field, max_depth and document_invalid. Of a query"
            " parameter: invalid, unknown_parameter, repeated_parameter, contradictory, in_the_past, too_late or"
            " too_early."
        )
    )
    detail = serializers.CharField(help_text="For people.")


@extend_schema_serializer(component_name="Problem")
class ProblemDocument(serializers.Serializer):
    """Why a request was not served, as RFC 9457 has it. GET /problems tells what to do about each type."""

    type = ReferenceField(
        help_text="Kind of the problem: a URI reference, relative to the service, of a page about it."
    )
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(
        help_text=f"Stable; compare this one: {', '.join(PROBLEM_TYPES)}, or one of an action's own permissions."
    )
    detail = serializers.CharField(help_text="For people.")
    errors = ProblemErrorDocument(many=True, required=False)  # type: ignore[assignment]

    def get_fields(self) -> dict[str, Field]:
        """Return the fields, with the one whose name is none in Python."""
        policies = serializers.ListField(
            child=serializers.CharField(),
            required=False,
            help_text="Of a throttled request: the quotas that are used up, as RateLimit-Policy names them.",
        )
        return {**super().get_fields(), "violated-policies": policies}
