"""The OpenAPI document, generated from the endpoints. ``openapi.yaml`` at the top is the committed copy."""

from functools import cache

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer


@cache
def openapi_yaml() -> bytes:
    """Return the document with the actions of this deployment; generated once, in half a second."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    return bytes(OpenApiYamlRenderer().render(document, renderer_context={}))
