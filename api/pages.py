"""What a newcomer finds, with a browser or with curl, before there is a token."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from api import catalogue, restrictions
from api.problems import ACTION_NOT_FOUND, NOT_FOUND, PROBLEM_TYPES, ProblemError
from api.queries import read_query
from api.rendering import dump, respond
from api.schema.document import openapi_yaml
from api.schema.operations import list_actions
from api.views import ThrottledView
from reports.codes import ENGINE_CODES


class PublicPage(ThrottledView):
    """A page for everybody, and no part of the API."""

    http_method_names = ["get", "head"]
    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    schema = None


class HomePage(PublicPage):
    def get(self, request: Request) -> HttpResponse:
        """Tell where things are."""
        places = {
            "actions": reverse("actions"),
            "reports": reverse("reports"),
            "docs": reverse("docs"),
            "redoc": reverse("redoc"),
            "openapi": reverse("openapi"),
            "problems": reverse("problems"),
            "errors": reverse("errors"),
        }
        return _page(request, "api/home.html", {"service": "Async Actions", **places})


class ProblemsPage(PublicPage):
    def get(self, request: Request) -> HttpResponse:
        """List every type of problem."""
        types = [{"type": type_.uri, **asdict(type_)} for type_ in PROBLEM_TYPES.values()]
        return _page(request, "api/problems.html", {"items": types})


class ProblemPage(PublicPage):
    def get(self, request: Request, code: str) -> HttpResponse:
        """Tell what a type of problem means and what to do about it."""
        type_ = PROBLEM_TYPES.get(code)
        if type_ is None:
            raise ProblemError(NOT_FOUND, f"There is no type of problem {code[:100]}.")
        return _page(request, "api/problems.html", {"items": [{"type": type_.uri, **asdict(type_)}]})


class ErrorsPage(PublicPage):
    def get(self, request: Request) -> HttpResponse:
        """List every code that a report may fail with."""
        return _page(request, "api/errors.html", {"items": _error_codes()})


class ErrorPage(PublicPage):
    def get(self, request: Request, code: str) -> HttpResponse:
        """Tell what a code means that a report has failed with, and whether a retry makes sense."""
        items = [item for item in _error_codes() if item["code"] == code]
        if not items:
            raise ProblemError(NOT_FOUND, f"No action declares the error code {code[:100]}.")
        return _page(request, "api/errors.html", {"items": items})


class OpenApiPage(PublicPage):
    def get(self, request: Request) -> HttpResponse:
        """Answer with the OpenAPI document of this deployment."""
        del request
        return HttpResponse(openapi_yaml(), content_type="application/yaml")


@list_actions
class ActionsApi(ThrottledView):
    """List actions."""

    http_method_names = ["get", "head"]

    def get(self, request: Request) -> HttpResponse:
        """Answer with all actions."""
        read_query(request)
        items = [
            {
                "name": action.name,
                "description": action.description,
                "url": reverse("action", args=[action.name]),
                "restricted": restrictions.is_restricted(action),
                "errors": [asdict(code) for code in action.error_codes],
                "filterable": action.filterable,
            }
            for action in catalogue.actions()
        ]
        return respond({"items": items})


class UnknownActionApi(ThrottledView):
    """Stands where an action would."""

    http_method_names = ["get", "head", "post"]
    schema = None

    def get(self, request: Request, name: str) -> HttpResponse:
        """Answer that there is no such action."""
        del request
        raise ProblemError(ACTION_NOT_FOUND, f"There is no action {name[:100]}.")

    post = get


def _error_codes() -> list[dict[str, Any]]:
    """Return all codes that reports fail with; ``actions`` is None for those of every action."""
    return [
        *({**asdict(code), "actions": None} for code in ENGINE_CODES.values()),
        *({**asdict(code), "actions": names} for code, names in catalogue.error_codes().items()),
    ]


def _page(request: HttpRequest | Request, template: str, document: dict[str, Any]) -> HttpResponse:
    if "text/html" in request.headers.get("Accept", ""):
        page = render(request, template, document)
    else:
        page = HttpResponse(dump(document), content_type="application/json")
    page.headers["Vary"] = "Accept"
    return page
