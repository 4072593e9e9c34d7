from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from reports import journal
from reports.models import AsyncActionReport
from reports.selectors import read_clock

_DAY = 24 * 3600.0


def count_old() -> int:
    """Return how many final actions are older than their retention, which purging deletes with their trees."""
    now = read_clock()
    own: dict[str, float] = settings.REPORT_RETENTION_DAYS_BY_ACTION
    old = Q(finished_at__lt=now - timedelta(days=settings.REPORT_RETENTION_DAYS)) & ~Q(action__in=list(own))
    for action, days in own.items():
        old |= Q(action=action, finished_at__lt=now - timedelta(days=days))
    return AsyncActionReport.objects.filter(old, parent=None).count()


def count_old_entries() -> int:
    """Return how many entries of the journal are older than their retention."""
    days = settings.JOURNAL_RETENTION_DAYS
    return journal.count_old(older_than=days * _DAY) if days else 0
