"""``openapi.yaml`` as a judge of answers: what it does not say, an answer must not have."""

from copy import deepcopy
from functools import cache
from typing import Any

import yaml
from django.conf import settings
from jsonschema import Draft202012Validator, FormatChecker

Document = dict[str, Any]


@cache
def committed() -> Document:
    """Return the committed document."""
    document: Document = yaml.safe_load((settings.BASE_DIR / "openapi.yaml").read_text())
    return document


def operations(document: Document) -> dict[str, tuple[str, str, Document]]:
    """Return path, method and operation by operation id."""
    return {
        operation["operationId"]: (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def require_as_documented(response: Any, operation_id: str) -> None:
    """Assert that status, media type, headers and body of an answer are what the operation declares."""
    _, _, operation = operations(committed())[operation_id]
    assert str(response.status_code) in operation["responses"], f"{response.status_code} is not documented"
    declared = operation["responses"][str(response.status_code)]
    media_type = response.headers.get("Content-Type")
    if "content" in declared:
        assert media_type in declared["content"], f"{media_type} is not documented"
        require_valid(response.json(), declared["content"][media_type]["schema"])
    else:
        assert (media_type, response.content) == (None, b"")
    for name, header in declared.get("headers", {}).items():
        if name in response.headers:
            value = response.headers[name]
            require_valid(int(value) if header["schema"]["type"] == "integer" else value, header["schema"])


def require_valid(body: Any, schema: Document) -> None:
    """Assert that a body fits a schema of the document, and has nothing that the schema does not name."""
    closed = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "components": _closed_components()}
    Draft202012Validator(closed, format_checker=FormatChecker()).validate(body)


@cache
def _closed_components() -> Document:
    components: Document = deepcopy(committed()["components"])
    for schema in components["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return components
