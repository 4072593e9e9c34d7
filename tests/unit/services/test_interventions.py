import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reports import journal, selectors
from reports.errors import ReportFinalError, ReportNotRetryableError
from reports.journal import Operator
from reports.models import AsyncActionReport, Intervention, Source, Verb
from reports.search import Search
from services import interventions, selection
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain

ALL = AsyncActionReport.objects
ADA = Operator("ada", Source.COMMAND)


class DiedError(BaseException):
    """The process is gone."""


def die(*_, **__):
    raise DiedError


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", Verb)
def test_there_is_no_change_without_its_entry(verb, monkeypatch):
    root = ledger.accept("a")
    if verb == Verb.RETRY:
        ledger.fail("a")
    before = ledger.snapshot()
    with monkeypatch.context() as dying:
        dying.setattr(journal, "write", die)
        with pytest.raises(DiedError):
            interventions.intervene(verb, root, ADA)
    assert ledger.snapshot() == before
    assert not Intervention.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", Verb)
def test_there_is_no_entry_without_its_change(verb, monkeypatch):
    """Die as the last thing before the commit."""
    root = ledger.accept("a")
    if verb == Verb.RETRY:
        ledger.fail("a")
    before = ledger.snapshot()
    written = journal.write

    def write_and_die(*args, **options):
        written(*args, **options)
        assert Intervention.objects.count() == 1
        raise DiedError

    with monkeypatch.context() as dying:
        dying.setattr(journal, "write", write_and_die)
        with pytest.raises(DiedError):
            interventions.intervene(verb, root, ADA)
    assert ledger.snapshot() == before
    assert not Intervention.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_there_is_no_operation_without_its_entry(monkeypatch):
    monkeypatch.setattr(journal, "write_operation", die)
    with pytest.raises(DiedError):
        interventions.request(Verb.CANCEL, Search(), ADA, plan_for=lambda _: chain("a"))
    assert not ALL.exists()


@pytest.mark.django_db
def test_what_is_refused_is_written_down_as_well():
    root = ledger.accept("a")
    with pytest.raises(ReportNotRetryableError):
        interventions.intervene(Verb.RETRY, root, ADA)
    interventions.intervene(Verb.CANCEL, root, ADA)
    with pytest.raises(ReportFinalError):
        interventions.intervene(Verb.CANCEL, root, ADA)
    ALL.all().delete()
    with pytest.raises(LookupError):
        interventions.intervene(Verb.CANCEL, root, ADA)
    entries = Intervention.objects.order_by("id").values_list("who", "source", "verb", "report", "refused")
    assert [(*entry[:3], entry[3] == root, entry[4]) for entry in entries] == [
        ("ada", "command", "retry", True, "report_not_retryable"),
        ("ada", "command", "cancel", True, ""),
        ("ada", "command", "cancel", True, "report_final"),
        ("ada", "command", "cancel", True, "report_not_found"),
    ]


@pytest.mark.django_db
def test_counting_is_bounded_and_changes_nothing(monkeypatch):
    for _ in range(3):
        ledger.accept("a")
    before = ledger.snapshot()
    selected = selection.select(Verb.CANCEL, Search())
    assert str(selection.count(selected)) == "3"
    monkeypatch.setattr(selection, "MOST_COUNTED", 2)
    assert str(selection.count(selected)) == "more than 2"
    monkeypatch.setattr(selection, "MOST_COUNTED", 1234)
    assert len(selection.examples(selected, limit=2)) == 2
    assert ledger.snapshot() == before
    assert not Intervention.objects.exists()


@pytest.mark.django_db
def test_a_portion_costs_so_many_statements_for_each_report_and_few_more():
    roots = [ledger.accept("a") for _ in range(20)]
    interventions.request(Verb.CANCEL, Search(), ADA, plan_for=lambda _: chain("a"))
    operation = Intervention.objects.get().id
    with CaptureQueriesContext(connection) as queries:
        assert list(interventions.work(operation, after=None, up_to=roots[-1])) == [20]
    inner = [query for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(inner) == 4 + 3 * 20  # lock, change, entry
    assert selectors.find_status(roots[-1]) == "cancelled"
