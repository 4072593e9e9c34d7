from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from api.schema import extensions  # noqa: F401  registers them

Schema = dict[str, Any]


_LIMITED = [200, 202, 429]
_LIMITS = [
    OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description, response=_LIMITED)
    for name, description in (
        ("RateLimit-Policy", 'The quota that counts this request, such as "read";q=60000;w=60; none without a limit.'),
        ("RateLimit", 'What is left of it, such as "read";r=59999;t=1: t seconds until there is one more.'),
    )
]


class StrictAutoSchema(AutoSchema):
    """The schema of what ``api.strictness`` makes of DRF's fields, with the headers of every answer."""

    def get_override_parameters(self) -> list[Any]:
        """Return what every operation has, beside what it declares itself."""
        return list(_LIMITS)

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Schema:
        schema: Schema = super()._map_basic_serializer(serializer, direction)
        if direction == "request":
            schema["additionalProperties"] = False
        elif not schema.get("properties"):
            # drf-spectacular leaves out what has no properties.
            schema["additionalProperties"] = {}
        return schema

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Schema | None:  # noqa: FBT001, FBT002  drf-spectacular's signature
        schema: Schema | None = super()._map_serializer_field(field, direction, bypass_extensions)
        if schema is None:
            return None
        if isinstance(field, serializers.DecimalField) and field.max_whole_digits is not None:
            fraction = rf"(\.[0-9]{{1,{field.decimal_places}}})?" if field.decimal_places else ""
            # Above 0 there is no sign, and a digit that is not 0.
            sign = "(?=.*[1-9])" if field.min_value is not None and field.min_value > 0 else "-?"
            schema["pattern"] = rf"^{sign}[0-9]{{1,{max(field.max_whole_digits, 1)}}}{fraction}$"
        if isinstance(field, serializers.IntegerField) and field.max_value is None:
            schema.setdefault("format", "int64")
        if isinstance(field, serializers.ListSerializer):
            bounds = {"maxItems": vars(field)["max_length"], "minItems": vars(field)["min_length"]}
            schema |= {name: bound for name, bound in bounds.items() if bound is not None}
        if isinstance(field, serializers.ListSerializer | serializers.ListField) and not field.allow_empty:
            schema.setdefault("minItems", 1)
        return schema
