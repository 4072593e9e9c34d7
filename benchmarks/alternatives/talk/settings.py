"""The talk's own design: a report row for each action, updated by the callbacks of a mixin."""

from benchmarks.alternatives.base import *  # noqa: F403
from benchmarks.alternatives.base import DRF_APPS

INSTALLED_APPS = [*DRF_APPS, "benchmarks.alternatives.talk"]
VIEWS = "benchmarks.alternatives.talk.views"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
