"""What one would write instead: DRF, a Celery chain, and django-celery-results in PostgreSQL."""

from benchmarks.alternatives.base import *  # noqa: F403
from benchmarks.alternatives.base import CELERY, DRF_APPS

INSTALLED_APPS = [*DRF_APPS, "django_celery_results", "benchmarks.alternatives.idiom"]
VIEWS = "benchmarks.alternatives.idiom.views"
CELERY = {**CELERY, "result_backend": "django-db", "task_ignore_result": False, "result_extended": False}
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
