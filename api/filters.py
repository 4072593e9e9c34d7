"""What a client lists reports by: every parameter of GET /reports but those that turn its pages."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from rest_framework.request import Request

from api import catalogue
from api.idempotency import KEY
from api.parameters import value_of
from api.queries import action_of, invalid, statuses_of
from api.timing import read_moment
from reports.search import Search

FILTERS = (
    *("action", "status", "parameter", "idempotency_key", "error_code", "order"),
    *("created_after", "created_before", "finished_after", "finished_before"),
)
SEVERAL = ("status", "parameter")
ORDERS = ("newest", "oldest")
_CODE = re.compile(r"[^\x00]{1,100}")
_YEARS = range(1970, 9000)


def search_of(request: Request, query: Mapping[str, str], *, owner: int | None) -> Search:
    """Read the filters. Raises ProblemError."""
    given = request.GET.getlist
    return search_by(query, statuses=given("status"), parameters=given("parameter"), owner=owner)


def search_by(
    query: Mapping[str, str], *, statuses: Sequence[str], parameters: Sequence[str], owner: int | None
) -> Search:
    """Return the search for what is wanted in so many words. Raises ProblemError."""
    action = action_of(query.get("action"))
    return Search(
        owner=owner,
        action=action,
        statuses=statuses_of(statuses),
        filters=_parameters_of(parameters, action),
        idempotency_key=_key_of(query.get("idempotency_key")),
        error_code=_code_of(query.get("error_code")),
        created_after=_moment_of("created_after", query),
        created_before=_moment_of("created_before", query),
        finished_after=_moment_of("finished_after", query),
        finished_before=_moment_of("finished_before", query),
        oldest_first=_order_of(query.get("order")) == "oldest",
    )


def _parameters_of(texts: Sequence[str], name: str | None) -> dict[str, str | int | bool]:
    if not texts:
        return {}
    action = catalogue.find(name) if name else None
    if action is None:
        raise invalid("parameter", "Give the action as well, one that there is.")
    filters: dict[str, str | int | bool] = {}
    for text in texts:
        field, colon, value = text.partition(":")
        if not colon or field not in action.filterable:
            known = ", ".join(action.filterable) or "none"
            raise invalid("parameter", f"Use <name>:<value>; reports of {name} can be found by: {known}.")
        if field in filters:
            raise invalid("parameter", f"Give {field} once.", code="contradictory")
        try:
            filters[field] = value_of(action.parameters.fields[field], value)
        except ValueError as error:
            raise invalid("parameter", f"No report has this {field}: {error}") from error
    return filters


def _key_of(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(KEY, text):
        raise invalid("idempotency_key", "This is no key: 1 to 255 ASCII characters.")
    return text


def _code_of(text: str | None) -> str | None:
    if text is not None and not _CODE.fullmatch(text):
        raise invalid("error_code", "This is no code of an error.")
    return text


def _moment_of(name: str, query: Mapping[str, str]) -> datetime | None:
    if name not in query:
        return None
    moment = read_moment(name, query[name])
    if moment.year not in _YEARS:
        raise invalid(name, f"Use a year from {_YEARS.start} to {_YEARS.stop - 1}.")
    return moment


def _order_of(text: str | None) -> str:
    if text is not None and text not in ORDERS:
        raise invalid("order", f"Use one of {', '.join(ORDERS)}.")
    return text or ORDERS[0]
