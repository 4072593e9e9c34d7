"""Query parameters: all known, each given once, each valid; anything else is refused."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self
from uuid import UUID

from api.problems import QUERY_INVALID, ProblemError
from reports.models import Status

DEFAULT_LIMIT = 50
BIGGEST_LIMIT = 500
_ACTION = re.compile(r"[a-z0-9-]{1,100}")
_ID_BYTES = 16
_MARK_BYTES = 4
_LIMIT = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for: up to ``limit`` items that follow the one with the id ``cursor``.

    ``sequence`` names the list and its order: a cursor of another one would leave items out without a word.
    """

    sequence: str
    limit: int = DEFAULT_LIMIT
    cursor: UUID | None = None

    @classmethod
    def of(cls, query: Mapping[str, str], sequence: str) -> Self:
        """Read ``limit`` and ``cursor``. Raises ProblemError."""
        return cls(sequence, _limit_of(query.get("limit")), _cursor_of(query.get("cursor"), sequence))

    def cut(self, items: list[Any]) -> tuple[list[Any], str | None]:
        """Return this page's part of ``limit + 1`` items, and the cursor of the next page where there is one."""
        page = items[: self.limit]
        return page, encode_cursor(page[-1].id, self.sequence) if len(items) > self.limit else None


def read_query(request: Any, *known: str, several: Collection[str] = ()) -> dict[str, str]:
    """Return the request's query parameters, of those that may be given ``several`` times the first.

    Raises ProblemError for unknown and repeated ones.
    """
    if not request.META.get("QUERY_STRING"):
        return {}  # most have none
    errors = []
    for name, values in request.GET.lists():
        if name not in known:
            errors.append(_error(name, "unknown_parameter", f"There is no such parameter; known: {_listed(known)}."))
        elif len(values) > 1 and name not in several:
            errors.append(_error(name, "repeated_parameter", "Give this parameter once."))
    if errors:
        raise ProblemError(QUERY_INVALID, "The query has parameters that are unknown or repeated.", errors=errors[:100])
    return {name: values[0] for name, values in request.GET.lists()}


def is_set(query: Mapping[str, str], parameter: str) -> bool:
    """Return whether a parameter says true; without it, false. Raises ProblemError for anything but true and false."""
    text = query.get(parameter, "false")
    if text not in ("true", "false"):
        raise invalid(parameter, "Use true or false.")
    return text == "true"


def action_of(text: str | None) -> str | None:
    """Return the action to filter by. Raises ProblemError for what can be no action's name."""
    if text is not None and not _ACTION.fullmatch(text):
        raise invalid("action", "This is no action's name.")
    return text


def status_of(text: str | None) -> Status | None:
    """Return the status to filter by. Raises ProblemError for an unknown one."""
    if text is not None and text not in Status.values:
        known = _listed(tuple(Status.values))
        raise invalid("status", f"Use one of {known}. For several, repeat it: status=failed&status=cancelled.")
    return Status(text) if text else None


def statuses_of(texts: Sequence[str]) -> tuple[Status, ...]:
    """Return the statuses to filter by, none for all. Raises ProblemError for an unknown one."""
    return tuple(status for text in texts if (status := status_of(text)))


def encode_cursor(id_: UUID, sequence: str) -> str:
    """Return the cursor that stands for the items of a sequence after the one with this id."""
    return _encode(id_.bytes + _mark(sequence))


def invalid(parameter: str, detail: str, *, code: str = "invalid") -> ProblemError:
    """Return the refusal of one query parameter."""
    message = f"The query parameter {parameter} is not valid."
    return ProblemError(QUERY_INVALID, message, errors=[_error(parameter, code, detail)])


def _cursor_of(text: str | None, sequence: str) -> UUID | None:
    if text is None:
        return None
    try:
        decoded = urlsafe_b64decode(f"{text}==")
    except (Base64Error, ValueError):
        decoded = b""
    id_, mark = decoded[:_ID_BYTES], decoded[_ID_BYTES:]
    # Cursors had no mark once.
    if len(id_) < _ID_BYTES or len(mark) not in (0, _MARK_BYTES) or _encode(decoded) != text:
        raise invalid("cursor", "Use the next_cursor of the page before, unchanged.")
    if mark and mark != _mark(sequence):
        raise invalid("cursor", "This cursor is of another list or order. Repeat the other parameters as they were.")
    return UUID(bytes=id_)


def _mark(sequence: str) -> bytes:
    return sha256(sequence.encode()).digest()[:_MARK_BYTES]


def _encode(decoded: bytes) -> str:
    return urlsafe_b64encode(decoded).rstrip(b"=").decode()


def _limit_of(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not _LIMIT.fullmatch(text) or int(text) > BIGGEST_LIMIT:
        raise invalid("limit", f"Use a number from 1 to {BIGGEST_LIMIT}.")
    return int(text)


def _error(parameter: str, code: str, detail: str) -> dict[str, str]:
    return {"parameter": parameter, "code": code, "detail": detail}


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"
