"""Fields whose schema drf-spectacular cannot see."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import Field


def constant(value: str) -> Field:
    """Return a field that has one value only, which tells this schema apart from others."""
    return described({"type": "string", "const": value})()


def described(schema: dict[str, Any], component: str | None = None) -> type[Field]:
    """Return a class of fields that has this schema, a component where that has a name."""
    # A class of its own: drf-spectacular keeps the schema at it, and DRF copies a field without what was set on it.
    described = type("DescribedField", (serializers.CharField,), {})
    return extend_schema_field(schema, component_name=component)(described)


ReferenceField = described(
    {"type": "string", "format": "uri-reference", "description": "URI reference, relative to the service."}
)
