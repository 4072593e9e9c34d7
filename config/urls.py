"""The routes of the service. Importing them imports the actions of ACTION_MODULES, each of which brings its own."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from api import catalogue, restrictions

catalogue.load(settings.ACTION_MODULES)
restrictions.check(settings.RESTRICTED_ACTIONS)

urlpatterns = [
    path("", include("api.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "api.handlers.bad_request"
handler403 = "api.handlers.permission_denied"
handler404 = "api.handlers.not_found"
handler500 = "api.handlers.server_error"
