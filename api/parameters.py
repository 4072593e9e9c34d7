"""Parameters that reports are found by: one short value each, as text in a URL and as JSON in a report."""

import re
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import Field

LONGEST_FILTER = 255
_SHORT = (
    serializers.BooleanField,
    serializers.IntegerField,
    serializers.DecimalField,
    serializers.UUIDField,
    serializers.DateField,
    serializers.DateTimeField,
    serializers.TimeField,
    serializers.ChoiceField,
)
_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_BOOLEANS = {"true": True, "false": False}


def can_be_filtered(field: Field) -> bool:
    """Tell whether reports can be found by this parameter."""
    if isinstance(field, serializers.CharField):
        return field.max_length is not None and field.max_length <= LONGEST_FILTER
    if isinstance(field, serializers.ChoiceField):
        return all(isinstance(choice, str) for choice in field.choices)
    return isinstance(field, _SHORT)


def value_of(field: Field, text: str) -> str | int | bool:
    """Return the value that a report has where this text is meant, such as 12.50 for 12.5.

    Raises:
        ValueError: no report can have it; the message says why.

    """
    try:
        value: Any = field.to_representation(field.run_validation(_as_json(field, text)))
    except ValidationError as error:
        raise ValueError(" ".join(str(reason) for reason in error.args[0]) if error.args else "") from error
    if not isinstance(value, str | int):
        raise ValueError("This is no value to filter by.")  # noqa: TRY004  it is the text that is wrong
    return value


def _as_json(field: Field, text: str) -> Any:
    if isinstance(field, serializers.BooleanField):
        return _BOOLEANS.get(text, text)
    if isinstance(field, serializers.IntegerField) and _INTEGER.fullmatch(text):
        return int(text)
    return text
