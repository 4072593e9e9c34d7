"""What reports are read, waited for and listed by, as parameters in the OpenAPI document."""

from drf_spectacular.utils import OpenApiParameter

from api.filters import ORDERS
from api.idempotency import KEY
from api.schema.documents import STATUS

_QUERY_TEXT = {"type": "string", "minLength": 1, "maxLength": 100}

PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description=(
        "wait=N (RFC 7240): answer when the action's report is final, or after N seconds. The service has a longest"
        " wait of its own, and holds only so many clients: the header Preference-Applied says for how long it would"
        " have waited, and is missing where it would not. Ignored for the report of a task."
    ),
)
PREFERENCE_APPLIED = OpenApiParameter(
    "Preference-Applied",
    str,
    OpenApiParameter.HEADER,
    description="wait=N, where the preference to wait was followed.",
    response=[200, 304],
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of what you have: the answer is 304, without a body, while it is the newest.",
)
ETAG = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    description="Another one as soon as anything in the body is (RFC 9110).",
    response=[200, 304],
)
LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID",
    str,
    OpenApiParameter.HEADER,
    description="The id of the last event you have: it is not sent again.",
)


def _moment(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "string", "format": "date-time"}, description=description)


FILTERS = (
    OpenApiParameter("action", {"type": "string", "pattern": "^[a-z0-9-]{1,100}$"}, description="This one only."),
    OpenApiParameter(
        "status",
        {"type": "array", "items": {"$ref": f"#/components/schemas/{STATUS}"}},
        description="With one of these statuses only: status=failed&status=cancelled.",
    ),
    OpenApiParameter(
        "parameter",
        {"type": "array", "items": {"type": "string", "pattern": "^[^:]+:"}},
        description=(
            "With this parameter, exactly: parameter=customer_id:cus_ada. Several must all fit. The action has to be"
            " given; its filterable parameters are in the list of actions. Finds what was asked for since they are."
        ),
    ),
    OpenApiParameter(
        "idempotency_key",
        {"type": "string", "pattern": KEY.replace(r"\Z", "$")},
        description="That was asked for with this key, without quotation marks.",
    ),
    OpenApiParameter("error_code", _QUERY_TEXT, description="Failed with this code only."),
    _moment("created_after", "Created at this time or later: RFC 3339 with an offset."),
    _moment("created_before", "Created before this time."),
    _moment("finished_after", "Final since this time or later."),
    _moment("finished_before", "Final since before this time."),
    OpenApiParameter(
        "order",
        {"type": "string", "enum": list(ORDERS), "default": ORDERS[0]},
        description="Which of them comes first.",
    ),
)
