from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from reports.models import AsyncActionReport
from reports.selectors import read_clock


def count_old() -> int:
    """Return how many final actions are older than their retention, which purging deletes with their trees."""
    now = read_clock()
    own: dict[str, float] = settings.REPORT_RETENTION_DAYS_BY_ACTION
    old = Q(finished_at__lt=now - timedelta(days=settings.REPORT_RETENTION_DAYS)) & ~Q(action__in=list(own))
    for action, days in own.items():
        old |= Q(action=action, finished_at__lt=now - timedelta(days=days))
    return AsyncActionReport.objects.filter(old, parent=None).count()
