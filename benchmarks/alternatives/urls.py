from importlib import import_module

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path


def home(request: HttpRequest) -> HttpResponse:
    """Answer a constant: that the server is ready, and how fast the load generator can be."""
    del request
    return HttpResponse(b"{}", content_type="application/json", headers={"Content-Length": "2"})


urlpatterns = [path("", home), path("health/live", home), *import_module(settings.VIEWS).urlpatterns]
