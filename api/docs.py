"""The OpenAPI document as pages to read and to try out. A browser that shows them asks no other host for anything."""

from typing import Any

from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

# Redoc's bundle names a picture at another host, and makes its worker of a blob. Both pages start by an inline script.
_POLICY = (
    "default-src 'self'; img-src 'self' data:; font-src 'self' data:; style-src 'self' 'unsafe-inline';"
    " script-src 'self' 'unsafe-inline'; worker-src 'self' blob:"
)


class _LocalPage(APIView):
    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Forbid other hosts (Content Security Policy, level 3)."""
        response.headers["Content-Security-Policy"] = _POLICY
        return super().finalize_response(request, response, *args, **kwargs)


class SwaggerPage(_LocalPage, SpectacularSwaggerView):
    """Swagger UI."""

    url_name = "openapi"


class RedocPage(_LocalPage, SpectacularRedocView):
    """Redoc."""

    url_name = "openapi"
    template_name = "api/redoc.html"
