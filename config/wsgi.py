"""What the web server serves."""

import os

from django.core.wsgi import get_wsgi_application

from config.start import refusing_wrong_configuration

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
with refusing_wrong_configuration():
    application = get_wsgi_application()
