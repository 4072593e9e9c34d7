"""The floor: what Django, psycopg and Celery cost by themselves."""

from benchmarks.alternatives.base import *  # noqa: F403
from benchmarks.alternatives.base import CELERY, env

INSTALLED_APPS = ["benchmarks.alternatives.floor"]
VIEWS = "benchmarks.alternatives.floor.views"
# For the round trip of an idle Celery alone: all else ignores its results.
CELERY = {**CELERY, "result_backend": env.str("REDIS_URL")}
