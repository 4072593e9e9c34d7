"""JSON taken at its word: "5" is no integer, 5 is no string, nothing is trimmed, unknown fields are refused.

DRF's fields are made for forms as well and take all of that. Here they are tightened once, when an action is declared.
"""

import re
from collections.abc import Callable, Collection
from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.fields import Field
from rest_framework.settings import api_settings

Convert = Callable[[Any], Any]
Fits = Callable[[Any], bool]

_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_BIGGEST_INTEGER = 2**63
_MOST_LISTED = 20
_UNNAMED_PATTERN = serializers.RegexField.default_error_messages["invalid"]

_TEXTS = (
    serializers.CharField,
    serializers.UUIDField,
    serializers.DateField,
    serializers.DateTimeField,
    serializers.TimeField,
    serializers.DurationField,
)
_CONTAINERS = (serializers.ListSerializer, serializers.ListField, serializers.DictField)
# Fields that cannot be sent as JSON, or whose values are not JSON once they are validated.
_UNSUPPORTED = (
    serializers.FileField,
    serializers.HiddenField,
    serializers.ManyRelatedField,
    serializers.ModelField,
    serializers.MultipleChoiceField,
    serializers.ReadOnlyField,
    serializers.RelatedField,
    serializers.SerializerMethodField,
)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    # To JSON Schema, 5.0 is an integer.
    whole = _is_number(value) and value == int(value)
    return whole and -_BIGGEST_INTEGER <= value < _BIGGEST_INTEGER


def _is_decimal(value: Any) -> bool:
    return isinstance(value, str) and _DECIMAL.fullmatch(value) is not None


_EXPECTED: tuple[tuple[type[Field] | tuple[type[Field], ...], str, Fits], ...] = (
    (serializers.BooleanField, "true or false", lambda value: isinstance(value, bool)),
    (serializers.IntegerField, "an integer of at most 64 bits", _is_integer),
    (serializers.FloatField, "a number", _is_number),
    (serializers.DecimalField, 'a decimal in a string, such as "12.50"', _is_decimal),
    ((serializers.ListField, serializers.ListSerializer), "a list", lambda value: isinstance(value, list)),
    (serializers.DictField, "an object", lambda value: isinstance(value, dict)),
    (_TEXTS, "a string", lambda value: isinstance(value, str)),
)


def make_strict(field: Field) -> None:
    """Have ``field``, and every field in it, take nothing but what its type is in the OpenAPI document.

    Raises:
        ValueError: it holds a field that no JSON parameter can have; the message names it.

    """
    _refuse_unsupported(field)
    if isinstance(field, serializers.Serializer):
        for child in field.fields.values():
            make_strict(child)
        _convert_by(field, _closed(field.to_internal_value, field.fields.keys()))
        return
    if isinstance(field, _CONTAINERS) and field.child is not None:
        make_strict(field.child)
    if isinstance(field, serializers.CharField):
        field.trim_whitespace = False
    if isinstance(field, serializers.RegexField):
        _name_pattern(field)
    convert: Convert = field.to_internal_value
    if isinstance(field, serializers.IntegerField):
        convert = _whole(convert)
    expected = _expectation(field)
    if expected:
        _convert_by(field, _typed(convert, *expected))


def _name_pattern(field: serializers.RegexField) -> None:
    """Have the field's message tell what it has to match, unless its author has written one."""
    for validator in field.validators:
        if isinstance(validator, RegexValidator) and validator.message is _UNNAMED_PATTERN:
            regex: Any = validator.regex  # compiled by now, whatever it was declared as
            pattern = regex.pattern.replace(r"\Z", "$")  # as the OpenAPI document has it
            validator.message = f"This does not match the pattern {pattern}"


def _expectation(field: Field) -> tuple[str, Fits] | None:
    if isinstance(field, serializers.ChoiceField):
        choices = [(choice, _kind(choice)) for choice in field.choices]
        return "one of the choices", lambda value: (value, _kind(value)) in choices
    return next(((expected, fits) for type_, expected, fits in _EXPECTED if isinstance(field, type_)), None)


def _kind(value: Any) -> type:
    return next((kind for kind in (bool, str, int, float) if isinstance(value, kind)), type(value))


def _typed(convert: Convert, expected: str, fits: Fits) -> Convert:
    def convert_fitting(data: Any) -> Any:
        if not fits(data):
            raise ValidationError(f"This must be {expected}.", code="invalid_type")
        return convert(data)

    return convert_fitting


def _whole(convert: Convert) -> Convert:
    # DRF reads an integer from its text, and the text of 1e20 is no integer's.
    return lambda data: convert(int(data))


def _closed(convert: Convert, known: Collection[str]) -> Convert:
    unknown = ErrorDetail(f"There is no such field; known: {_listed(known)}.", code="unknown_field")

    def convert_known(data: Any) -> Any:
        if not isinstance(data, dict):
            raise ValidationError("This must be an object.", code="invalid_type")
        errors: dict[str, Any] = {name: [unknown] for name in data if name not in known}
        try:
            value = convert(data)
        except ValidationError as error:
            if not isinstance(error.detail, dict):
                raise
            errors |= error.detail
        if errors:
            raise ValidationError(errors)
        return value

    return convert_known


def _listed(known: Collection[str]) -> str:
    names = [*known]
    more = [f"{len(names) - _MOST_LISTED} more"] if len(names) > _MOST_LISTED else []
    return ", ".join([*names[:_MOST_LISTED], *more]) or "none"


def _convert_by(field: Field, convert: Convert) -> None:
    # On the instance, so that every field of DRF's and of an author's own is covered without a twin of its class.
    field.to_internal_value = convert  # type: ignore[method-assign,assignment]


def _refuse_unsupported(field: Field) -> None:
    name = field.field_name or type(field).__name__
    if isinstance(field, _UNSUPPORTED):
        raise ValueError(f"field {name} is a {type(field).__name__}, which no JSON parameter can be")  # noqa: TRY004  the declaration is wrong, not the call
    if field.read_only or field.write_only:
        raise ValueError(f"field {name} is read_only or write_only; parameters are sent, kept and shown alike")
    if isinstance(field, serializers.DecimalField) and not getattr(
        field, "coerce_to_string", api_settings.COERCE_DECIMAL_TO_STRING
    ):
        raise ValueError(f"field {name} must keep coerce_to_string: JSON numbers cannot hold decimals")
