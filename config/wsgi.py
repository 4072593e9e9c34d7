"""What the web server serves."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from config.start import refusing_wrong_configuration

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
with refusing_wrong_configuration():
    application = get_wsgi_application()
    # Django would import the routes, and with them the actions, for the first request only.
    get_resolver().url_patterns  # noqa: B018
