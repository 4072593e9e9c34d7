"""How large a body may be in each of the ways in which JSON can be large. Its bytes are counted before it is read."""

from typing import Any, NamedTuple

from django.conf import settings

from api.problems import PARAMETERS_INVALID, ProblemError
from api.validation import token


class _Excess(NamedTuple):
    pointer: str
    code: str
    detail: str


def require_modest(document: Any) -> None:
    """Refuse a document that is too deep, or has a string, list or object that is too long. Raises ProblemError."""
    excess = _excess_of(document, depth=0)
    if excess:
        error = {**excess._asdict(), "pointer": f"#{excess.pointer}"}
        raise ProblemError(PARAMETERS_INVALID, "The body is larger than this service takes.", errors=[error])


def _excess_of(value: Any, *, depth: int) -> _Excess | None:
    if isinstance(value, str):
        return _too_long("This", len(value), "characters", settings.REQUEST_MAX_STRING_LENGTH)
    if not isinstance(value, dict | list):
        return None
    if depth == settings.REQUEST_MAX_DEPTH:
        return _Excess("", "max_depth", f"Lists and objects may be nested {depth} deep; this is one deeper.")
    return _excess_of_object(value, depth) if isinstance(value, dict) else _excess_of_list(value, depth)


def _excess_of_object(value: dict[str, Any], depth: int) -> _Excess | None:
    longest = max(map(len, value), default=0)
    if excess := (
        _too_long("This", len(value), "members", settings.REQUEST_MAX_MEMBERS)
        or _too_long("A name in this", longest, "characters", settings.REQUEST_MAX_STRING_LENGTH)
    ):
        return excess
    for name, member in value.items():
        if inner := _excess_of(member, depth=depth + 1):
            return inner._replace(pointer=f"/{token(name)}{inner.pointer}")
    return None


def _excess_of_list(value: list[Any], depth: int) -> _Excess | None:
    if excess := _too_long("This", len(value), "items", settings.REQUEST_MAX_LIST_LENGTH):
        return excess
    for index, item in enumerate(value):
        if inner := _excess_of(item, depth=depth + 1):
            return inner._replace(pointer=f"/{index}{inner.pointer}")
    return None


def _too_long(what: str, length: int, of: str, limit: int) -> _Excess | None:
    if length <= limit:
        return None
    return _Excess("", "max_length", f"{what} has {length:,} {of}; at most {limit:,} are allowed.")
