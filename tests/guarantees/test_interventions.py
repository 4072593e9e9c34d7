"""An operation on many reports goes on where its worker died: each report is acted on once, and none is left out."""

from datetime import timedelta

from django.utils import timezone

from reports import acceptance, selectors
from reports.journal import Operator
from reports.models import AsyncActionReport, Intervention, Source, Status, Verb
from reports.requests import Request, Timing
from reports.search import Search
from tasks import interventions
from tests.guarantees.conftest import ENVIRONMENT
from tests.guarantees.ground import ProvingGround
from tests.unit.reports.plans import chain

_REPORTS = 1_200  # three portions
_DONE = 700  # in the middle of the second


def _plan_for_tomorrow() -> None:
    tomorrow = Timing(not_before=timezone.now() + timedelta(days=1))
    requests = [Request.of("test", chain("a", "b"), parameters=None, timing=tomorrow) for _ in range(_REPORTS)]
    acceptance.accept_all(requests, requested_by=None)


def test_its_worker_is_killed_in_the_middle(ground: ProvingGround) -> None:
    _plan_for_tomorrow()
    ground.stack.worker.stop()
    worker = ground.stack.add_worker(
        {"ACTION_MODULES": f"{ENVIRONMENT['ACTION_MODULES']},tests.actions.standing", "STANDS_AFTER": str(_DONE)},
        processes=1,
    )
    report = interventions.request(Verb.CANCEL, Search(action="test"), Operator("ada", Source.COMMAND))
    parts = Intervention.objects.filter(part_of__report=report)
    ground.wait_until(lambda: parts.count() == _DONE)
    worker.kill()
    assert parts.count() == _DONE
    assert AsyncActionReport.objects.filter(action="test", parent=None, status=Status.CANCELLED).count() == _DONE
    ground.stack.worker.start()
    ground.wait_until(lambda: selectors.find_status(report) == Status.OK)
    found = selectors.find(report, owner=None)
    assert found is not None
    assert found.result == {"matched": _REPORTS, "changed": _REPORTS, "refused": 0}
    assert not AsyncActionReport.objects.filter(action="test").exclude(status=Status.CANCELLED).exists()
