"""JSON documents as the ledger keeps them: parameters, arguments, results, progress."""

import json
from enum import Enum
from typing import Any
from uuid import UUID

import orjson

from reports.errors import DocumentInvalidError, DocumentTooLargeError

_STRICT = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS


def dump(value: Any, *, limit: int, what: str) -> str:
    """Return ``value`` as JSON text of at most ``limit`` bytes. ``what`` names it in errors.

    Raises:
        DocumentInvalidError: it is not JSON, or holds NaN, an infinity or the character U+0000.
        DocumentTooLargeError: it is larger than ``limit``.

    """
    try:
        text = orjson.dumps(value, option=_STRICT)
    except TypeError as error:
        raise DocumentInvalidError(f"{what} cannot be written as JSON: {error}.") from error
    if len(text) > limit:
        raise DocumentTooLargeError(f"{what} would take {len(text):,} bytes as JSON; at most {limit:,} are allowed.")
    if b"null" in text:
        _refuse_nan(value, what)
    if b"\\u0000" in text and _holds_nul(orjson.loads(text)):
        raise DocumentInvalidError(f"{what} must not hold the character U+0000, which no database can keep.")
    return text.decode()


def load(text: str | bytes | None) -> Any:
    """Return the value of JSON text, ``None`` for a column without one."""
    return None if text is None else orjson.loads(text)


def _refuse_nan(value: Any, what: str) -> None:
    # orjson writes NaN as null, which would change a result silently.
    try:
        json.dumps(value, allow_nan=False, default=_plain)
    except ValueError as error:
        raise DocumentInvalidError(f"{what} must not hold NaN or an infinity, which JSON does not know.") from error


def _plain(value: UUID | Enum) -> Any:
    # The types that orjson alone takes.
    return value.value if isinstance(value, Enum) else str(value)


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(item) for pair in value.items() for item in pair)
    return isinstance(value, list) and any(_holds_nul(item) for item in value)
