"""The routes of the service. Importing them imports the actions of ACTION_MODULES, each of which brings its own."""

from functools import partial

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from api import catalogue, restrictions
from api.parameters import value_of
from console import catalogue as console

catalogue.load(settings.ACTION_MODULES)
restrictions.check(settings.RESTRICTED_ACTIONS)
console.know(
    [
        console.KnownAction(
            action.name, {name: partial(value_of, action.parameters.fields[name]) for name in action.filterable}
        )
        for action in catalogue.actions()
    ]
)

urlpatterns = [
    path("", include("api.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "api.handlers.bad_request"
handler403 = "api.handlers.permission_denied"
handler404 = "api.handlers.not_found"
handler500 = "api.handlers.server_error"
