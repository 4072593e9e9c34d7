from datetime import UTC, datetime, timedelta

import pytest

from reports import intervention
from reports.retention import count_old
from reports.selectors import read_clock
from tests.unit.reports import ledger

pytestmark = pytest.mark.django_db


def finished(days, *, action="sync"):
    root = ledger.accept("a", action=action)
    intervention.cancel(root)
    ledger.change(root, finished_at=datetime.now(UTC) - timedelta(days=days))


def test_actions_older_than_their_retention_are_counted(settings):
    settings.REPORT_RETENTION_DAYS = 10
    settings.REPORT_RETENTION_DAYS_BY_ACTION = {"short": 1, "long": 100}
    ledger.accept("a")
    for days in (9, 11, 12):
        finished(days)
    finished(2, action="short")
    finished(0.5, action="short")
    finished(99, action="long")
    assert count_old() == 3


def test_the_clock_is_the_database_s():
    assert abs(read_clock() - datetime.now(UTC)) < timedelta(seconds=60)
