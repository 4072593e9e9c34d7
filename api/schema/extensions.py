"""What drf-spectacular cannot see by itself. Imported by ``api.schema.autoschema``."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension

from api import catalogue
from api.schema.documents import ReportDocument, TaskDocument


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002  drf-spectacular's signature
        """Return the scheme: a token in the Authorization header."""
        return {"type": "http", "scheme": "bearer", "description": "A token of `manage.py create_token`."}


class AnyReport(OpenApiSerializerExtension):
    """The report of any action: typed where the action is known, as it comes where it is not.

    ``anyOf`` with a last resort, not a closed ``oneOf``: an SDK that was generated before an action existed still
    reads its reports.
    """

    target_class = "api.schema.documents.AnyReportDocument"

    def get_name(self, auto_schema: Any, direction: str) -> str:  # noqa: ARG002  drf-spectacular's signature
        """Return the component's name."""
        return "AnyReport"

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        """Return the schema."""
        variants = [*(action.report_document for action in catalogue.actions()), TaskDocument, ReportDocument]
        return {"anyOf": [auto_schema.resolve_serializer(variant, direction).ref for variant in variants]}
