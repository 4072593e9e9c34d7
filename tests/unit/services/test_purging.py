from datetime import UTC, datetime, timedelta
from time import time_ns
from uuid import UUID, uuid4

import pytest
import uuid_utils

from reports import intervention, journal
from reports.models import AsyncActionReport, Intervention, Source, Verb
from services.purging import Purge
from tests.unit.reports import ledger

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects
DAY_NS = 24 * 3600 * 10**9


def finished(action, days):
    root = ledger.accept("a", action=action)
    intervention.cancel(root)
    ledger.change(root, finished_at=datetime.now(UTC) - timedelta(days=days))
    return root


def test_what_is_older_than_its_retention_is_purged(settings):
    settings.REPORT_RETENTION_DAYS = 10
    settings.REPORT_RETENTION_DAYS_BY_ACTION = {"short": 1, "long": 100}
    kept = [finished("sync", 9), finished("short", 0.5), finished("long", 99)]
    for action, days in (("sync", 11), ("short", 2), ("long", 101)):
        finished(action, days)
    purge = Purge()
    assert purge.go_on()
    assert set(ALL.filter(parent=None).values_list("id", flat=True)) == set(kept)
    assert not purge.go_on()
    assert purge.reports == 3


class TestJournal:
    """Entries of an operation that has its report are kept, and nothing younger for their sake."""

    @pytest.fixture(autouse=True)
    def _small(self, settings, monkeypatch):
        settings.JOURNAL_RETENTION_DAYS = 100
        monkeypatch.setattr(journal, "_ENTRIES_PER_BATCH", 2)

    @staticmethod
    def entry(days, *, clock=None, **columns):
        """Write an entry as so many days ago; ``clock`` is how many days ago the process took it to be."""
        moment = time_ns() - int((days if clock is None else clock) * DAY_NS)
        return Intervention.objects.create(
            id=UUID(str(uuid_utils.uuid7(nanoseconds=moment))),
            made_at=datetime.now(UTC) - timedelta(days=days),
            who="ada",
            source=Source.COMMAND,
            verb=Verb.RETRY,
            **{"report": uuid4(), **columns},
        ).id

    def operation(self, days, parts):
        """Write an operation whose report is there, so many days ago. Returns the report and its entries."""
        report = ledger.accept("a")
        own = self.entry(days, report=report, search={})
        return report, [own, *(self.entry(days - 1, part_of_id=own) for _ in range(parts))]

    @staticmethod
    def left():
        return set(Intervention.objects.values_list("id", flat=True))

    def test_what_is_younger_than_what_is_kept_goes_all_the_same(self):
        _, kept = self.operation(200, parts=6)
        for days in (150, 140, 130, 120, 110):
            self.entry(days)
        young = [self.entry(days) for days in (99, 1, 0)]

        purge = Purge()
        purge.finish()

        assert self.left() == {*kept, *young}
        assert purge.entries == 5

    def test_a_worker_goes_past_what_is_kept_one_look_at_a_time(self, django_assert_max_num_queries):
        _, kept = self.operation(200, parts=6)
        self.entry(150)
        young = [self.entry(1) for _ in range(2)]

        purge = Purge()
        went = []
        for _ in range(4):
            with django_assert_max_num_queries(20):
                went.append(purge.go_on())

        assert went == [False, False, False, True]
        assert self.left() == {*kept, *young}

    def test_it_begins_anew_once_it_is_through(self):
        report, kept = self.operation(200, parts=3)
        purge = Purge()
        purge.finish()
        assert self.left() == set(kept)
        ALL.filter(root=report).delete()

        purge.finish()

        assert self.left() == set()
        assert purge.entries == 4

    def test_one_of_a_clock_that_was_wrong_does_not_hold_up_the_others(self):
        wrong = [self.entry(5, clock=days) for days in (300, 200)]
        for days in (250, 150, 140):
            self.entry(days)

        purge = Purge()
        purge.finish()

        assert self.left() == set(wrong)
        assert purge.entries == 3

    def test_what_has_gone_meanwhile_is_not_counted(self):
        for days in (150, 140, 130):
            self.entry(days)
        first, second = Purge(), Purge()
        first.go_on()

        second.finish()
        first.finish()

        assert (first.entries, second.entries) == (2, 1)
        assert self.left() == set()
