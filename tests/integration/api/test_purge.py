"""manage.py purge_reports: to the end, and nothing that is not old enough."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from reports import journal, purging
from reports.journal import Operator
from reports.models import AsyncActionReport, Intervention, Source, Verb
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

    assert purge("--dry-run").splitlines()[0] == "Action reports older than their retention: 3."
    assert left() == {*kept, *old}

    assert purge().splitlines()[0] == "Action reports older than their retention: 3, deleted with their tasks."
    assert left() == kept
    assert AsyncActionReport.objects.count() == 3 * len(kept)
    assert [ada.get(f"/reports/{report}").status_code for report in old] == [404, 404, 404]
    assert purge("--dry-run").splitlines()[0].endswith(": 0.")


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


def test_the_journal_has_a_retention_of_its_own(finished, settings, monkeypatch):
    monkeypatch.setattr(journal, "_ENTRIES_PER_BATCH", 2)
    settings.JOURNAL_RETENTION_DAYS = 100
    report = finished(1)
    for days in (150, 120, 101, 99, 0):
        journal.write(Verb.RETRY, report, Operator("ada", Source.COMMAND))
        newest = Intervention.objects.order_by("-id")[0]
        Intervention.objects.filter(id=newest.id).update(made_at=read_clock() - timedelta(days=days))
    young = list(Intervention.objects.order_by("id").values_list("id", flat=True))[3:]

    assert purge("--dry-run").splitlines()[1] == "Entries of the journal older than theirs: 3."
    assert purge().splitlines()[1] == "Entries of the journal older than theirs: 3, deleted."

    assert list(Intervention.objects.order_by("id").values_list("id", flat=True)) == young
    assert left() == {report}


def test_the_journal_may_be_kept_for_ever(finished, settings):
    settings.JOURNAL_RETENTION_DAYS = 0
    journal.write(Verb.RETRY, finished(1), Operator("ada", Source.COMMAND))
    Intervention.objects.update(made_at=read_clock() - timedelta(days=4000))

    assert purge("--dry-run").splitlines()[1].endswith(": 0.")
    purge()

    assert Intervention.objects.exists()
