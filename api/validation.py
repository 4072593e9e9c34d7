"""From DRF's nested error details to the flat list of a problem, where each error has its JSON pointer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from rest_framework.exceptions import ErrorDetail
from rest_framework.settings import api_settings

_LONGEST_LIST = 100


def errors_of(detail: Any) -> list[dict[str, str]]:
    """Return ``{pointer, code, detail}`` for the first hundred errors of a ``ValidationError.detail``.

    A pointer is a JSON pointer as a URI fragment, such as ``#/lines/0/amount``; ``#`` is the whole body.
    """
    flat = _flatten(detail, "#")
    return [
        {"pointer": pointer, "code": str(error.code), "detail": str(error)}
        for (pointer, error), _ in zip(flat, range(_LONGEST_LIST), strict=False)
    ]


def _flatten(detail: Any, pointer: str) -> Iterator[tuple[str, ErrorDetail]]:
    if isinstance(detail, ErrorDetail):
        yield pointer, detail
    elif isinstance(detail, Mapping):
        for key, nested in detail.items():
            whole = key == api_settings.NON_FIELD_ERRORS_KEY
            yield from _flatten(nested, pointer if whole else f"{pointer}/{token(key)}")
    elif isinstance(detail, Sequence):
        for index, nested in enumerate(detail):
            # A list holds either the errors of one value, or one entry for each item of a list of objects.
            yield from _flatten(nested, pointer if isinstance(nested, ErrorDetail) else f"{pointer}/{index}")


def token(key: Any) -> str:
    """Return a name as a part of a JSON pointer in a URI fragment."""
    return quote(str(key).replace("~", "~0").replace("/", "~1"), safe="~")
