"""Operations on many reports, run through the real ledger by the tests' workbench."""

import pytest

from reports import selectors
from reports.errors import SelectionInvalidError
from reports.journal import Operator
from reports.models import AsyncActionReport, Intervention, Source, Status, Verb
from reports.search import Search
from services import interventions as services
from tasks import interventions
from testing.runs import Run
from testing.workbench import Workbench
from tests.unit.reports import ledger

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects
ADA = Operator("ada", Source.ADMIN, reason="They were not wanted.")


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(services, "_REPORTS_PER_PORTION", 4)
    monkeypatch.setattr(services, "_REPORTS_PER_PAGE", 2)


class Operations(Workbench):
    """A workbench at which operators act as well."""

    def operate(self, verb, search=Search()):
        run = Run(interventions.request(verb, search, ADA))
        self._runs.append(run)
        return run


@pytest.fixture
def workbench(settings):
    return Operations()


def statuses(roots):
    return [ALL.get(id=root).status for root in roots]


def test_all_that_waits_or_runs_is_cancelled(workbench):
    roots = [ledger.accept("a", "b") for _ in range(10)]
    ledger.succeed("a", root=roots[3])
    ledger.fail("a", root=roots[4])
    run = workbench.operate(Verb.CANCEL)
    workbench.settle()
    assert run.expect_ok() == {"matched": 9, "changed": 9, "refused": 0}
    assert statuses(roots) == ["cancelled"] * 4 + ["failed"] + ["cancelled"] * 5
