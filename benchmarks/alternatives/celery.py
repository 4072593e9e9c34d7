"""The Celery application of the alternative that DJANGO_SETTINGS_MODULE names."""

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings

app = Celery("alternatives")
app.set_default()
app.conf.update(settings.CELERY)
app.autodiscover_tasks()


@setup_logging.connect(weak=False)
def _leave_logging_to_django(**_: object) -> None:
    """Be connected: Celery then leaves alone what Django's settings have set up."""
