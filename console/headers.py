from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

# Alpine, which unfold is written in, evaluates what its templates say ('unsafe-eval'), and unfold has styles in its
# pages. Nothing is loaded from other hosts, no script stands in a page, and forms go nowhere else.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; font-src 'self';"
    " img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def restricting_browsers(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Return a middleware that tells browsers what the operators' pages may do (Content Security Policy, level 3)."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        match = request.resolver_match
        if match is not None and "admin" in match.app_names:
            response.headers["Content-Security-Policy"] = POLICY
        return response

    return respond
