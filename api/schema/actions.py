"""The OpenAPI operations that each action has: its names in SDKs, its parameters, result and errors."""

from copy import deepcopy
from typing import TYPE_CHECKING

from drf_spectacular.utils import OpenApiResponse, PolymorphicProxySerializer, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.fields import Field

from api import problems
from api.restrictions import codename_of
from api.schema import documents, errors, examples, submission
from api.schema.operations import REFUSALS_OF_BODIES, responses, retry_after

if TYPE_CHECKING:
    from api.actions import ActionApi

_BATCH_RETRY_AFTER = (
    "Seconds after which to repeat the request, with 429 and 503; where requests of the batch are `overloaded`, after"
    " which to repeat those."
)
_RETRIES = {
    True: "A retry may succeed.",
    False: "A retry fails until something else is changed.",
    None: "A retry may or may not succeed.",
}


def describe_action(action: "type[ActionApi]") -> None:
    """Give an action its typed operation. SDKs see ``sync_invoices``, ``SyncInvoicesRequest``, ``…Report``."""
    component = _component_of(action)
    declared = type(action.parameters)
    action.report_document = documents.report_document(
        f"{component}Report",
        action=action.name,
        parameters=documents.named(declared, f"{component}Parameters")(),
        result=_nullable_result(action.result, f"{component}Result"),
        error=errors.error_document(f"{component}Error", action=action.name, codes=action.error_codes)(allow_null=True),
    )
    # In requests, components get the suffix Request.
    action.request_document = documents.named(declared, component)
    report_or_validation = PolymorphicProxySerializer(
        f"{component}Answer", [action.report_document, submission.ValidationDocument], resource_type_field_name=None
    )
    extend_schema_view(
        post=extend_schema(
            operation_id=action.name.replace("-", "_"),
            examples=examples.of_action(action.name, action.example),
            summary=action.description.partition("\n")[0].rstrip("."),
            description=_description(action),
            tags=["actions"],
            parameters=[*submission.QUERY, *submission.HEADERS, retry_after(202)],
            request=action.request_document,
            responses={
                200: OpenApiResponse(
                    report_or_validation,
                    description="The report, which is final, where that was waited for. With validate_only, what the"
                    " request comes to.",
                ),
                **responses(
                    202,
                    action.report_document,
                    "Accepted; the report is pending, or as it is by now.",
                    problems.IDEMPOTENCY_KEY_INVALID,
                    problems.PERMISSION_DENIED,
                    *REFUSALS_OF_BODIES,
                    problems.PLAN_TOO_LARGE,
                    problems.IDEMPOTENCY_KEY_REUSED,
                    problems.OVERLOADED,
                ),
            },
        )
    )(action)


def describe_batch(batch: "type[ActionApi]") -> None:
    """Give the endpoint that takes many requests of an action its typed operation: ``sync_invoices_batch``."""
    component = _component_of(batch)
    extend_schema_view(
        post=extend_schema(
            operation_id=f"{batch.name.replace('-', '_')}_batch",
            examples=examples.of_batch(batch.name, batch.example),
            summary=f"{batch.description.partition(chr(10))[0].rstrip('.')}, many at once",
            description=(
                f"Up to {submission.BIGGEST_BATCH:,} requests for {batch.name} at once. Each is accepted or refused as"
                " it would be on its own; with atomic, all of them are accepted or none. While the service has no room,"
                " what was accepted before with the same key has its report, and each of the others is refused on its"
                " own (503, overloaded); where none is a repetition, or with atomic not all are, the whole answer is"
                " 503. The timing is that of every request."
            ),
            tags=["actions"],
            parameters=[*submission.QUERY, retry_after(200, description=_BATCH_RETRY_AFTER)],
            request=submission.batch_request(component, batch.request_document()),
            responses=responses(
                200,
                submission.BatchDocument,
                "The outcome of each request: see their status.",
                problems.IDEMPOTENCY_KEY_INVALID,
                problems.PERMISSION_DENIED,
                *REFUSALS_OF_BODIES,
                problems.PLAN_TOO_LARGE,
                problems.BATCH_REFUSED,
                problems.OVERLOADED,
            ),
        )
    )(batch)


def _component_of(action: "type[ActionApi]") -> str:
    return "".join(word.capitalize() for word in action.name.split("-"))


def _description(action: "type[ActionApi]") -> str:
    told = [action.description]
    if action.restricted:
        told += [
            "",
            f"Restricted: clients need the permission `{codename_of(action.name)}` of the operator's.",
        ]
    if action.error_codes:
        told += ["", "Fails with these codes, beside those of every action:", ""]
        told += [f"- `{code.code}`: {code.description} {_RETRIES[code.retryable]}" for code in action.error_codes]
    return "\n".join(told)


def _nullable_result(result: Field, component: str) -> Field:
    if isinstance(result, serializers.Serializer):
        return documents.named(type(result), component)(allow_null=True)
    nullable = deepcopy(result)
    # DRF makes a declared field anew from what it was made with, so that is what must change.
    vars(nullable)["_kwargs"] |= {"allow_null": True}
    return nullable
