import pytest
from django.db import IntegrityError, transaction

from reports.models import FINAL, AsyncActionReport, Status
from tests.unit.reports import ledger

ALL = AsyncActionReport.objects


@pytest.mark.django_db
def test_a_report_is_called_by_its_task_or_its_action():
    root = ledger.accept("a", action="sync")
    assert [str(ALL.get(id=root)), str(ledger.find("a"))] == ["sync pending", "a pending"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "nonsense",
    [{"status": "done"}, {"kind": "chord"}, {"children_ok": 2}, {"children_ok": -1}, {"position": 1}],
    ids=str,
)
def test_the_database_refuses_nonsense(nonsense):
    root = ledger.accept("a", "b")
    child = ledger.find("a").id
    with pytest.raises(IntegrityError), transaction.atomic():
        ALL.filter(id=child if "position" in nonsense else root).update(**{"children_total": 1, **nonsense})


@pytest.mark.django_db
def test_a_client_may_go_while_its_reports_stay(django_user_model):
    client = django_user_model.objects.create(username="ada")
    root = ledger.accept("a", requested_by=client.id)
    client.delete()
    assert ALL.filter(root=root, requested_by=None).count() == 2


def test_what_is_final():
    assert set(Status) - set(FINAL) == {Status.PENDING, Status.RUNNING}
