"""What the web server serves of the alternative that DJANGO_SETTINGS_MODULE names."""

from django.core.wsgi import get_wsgi_application

from benchmarks.alternatives.celery import app  # noqa: F401  threads of the web server publish by it

application = get_wsgi_application()
