"""manage.py purge_reports: to the end, and nothing that is not old enough."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from reports import purging
from reports.models import AsyncActionReport
from reports.selectors import read_clock


def purge(*arguments):
    out = StringIO()
    call_command("purge_reports", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def finished(ledger, settings):
    """Return a function that makes an ok report which finished so many days ago."""
    settings.REPORT_RETENTION_DAYS = 30
    settings.REPORT_RETENTION_DAYS_BY_ACTION = {"sync-all-invoices": 2, "ensure-customer": 365}

    def make(days, action="sync-invoices"):
        report = ledger.accept(action=action)
        ledger.succeed(report, 1, 2)
        AsyncActionReport.objects.filter(root=report).update(finished_at=read_clock() - timedelta(days=days))
        return report

    return make


def left():
    return set(AsyncActionReport.objects.filter(parent=None).values_list("id", flat=True))


def test_old_reports_go_by_the_retention_of_their_action(ada, ledger, finished):
    kept = {
        *(finished(29), finished(1, "sync-all-invoices"), finished(364, "ensure-customer"), ledger.accept()),
    }
    old = [finished(31), finished(3, "sync-all-invoices"), finished(366, "ensure-customer")]

    assert purge("--dry-run") == "Action reports older than their retention: 3.\n"
    assert left() == {*kept, *old}

    assert purge() == "Action reports older than their retention: 3, deleted with their tasks.\n"
    assert left() == kept
    assert AsyncActionReport.objects.count() == 3 * len(kept)
    assert [ada.get(f"/reports/{report}").status_code for report in old] == [404, 404, 404]
    assert purge("--dry-run").endswith(": 0.\n")


def test_it_goes_on_until_nothing_old_is_left(finished, monkeypatch):
    monkeypatch.setattr(purging, "_ROOTS_PER_BATCH", 2)
    for _ in range(5):
        finished(31)
        finished(3, "sync-all-invoices")

    assert ": 10, deleted" in purge()

    assert left() == set()


def test_what_waits_for_a_year_is_not_old(ledger, finished):
    waiting = ledger.accept()
    AsyncActionReport.objects.filter(root=waiting).update(created_at=read_clock() - timedelta(days=400))

    assert ": 0, deleted" in purge()
    assert left() == {waiting}
