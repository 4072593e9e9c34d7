"""Operations on many reports, run through the real ledger by the tests' workbench."""

from datetime import timedelta

import pytest

from reports import selectors
from reports.errors import RoomLackingError, SelectionInvalidError
from reports.journal import Operator
from reports.models import AsyncActionReport, Intervention, Source, Status, Verb
from reports.search import Search
from services import admission
from services import interventions as services
from tasks import interventions
from testing.runs import Run
from testing.workbench import Workbench, _without_broker
from tests.unit.reports import ledger

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects
ADA = Operator("ada", Source.ADMIN, reason="They were not wanted.")
EVERYTHING = Search()


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(services, "_REPORTS_PER_PORTION", 4)
    monkeypatch.setattr(services, "_REPORTS_PER_PAGE", 2)


class Operations(Workbench):
    """A workbench at which operators act as well."""

    def operate(self, verb, search=EVERYTHING):
        with _without_broker():
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


def test_what_has_failed_goes_on_and_what_was_cancelled_only_where_that_is_said(workbench):
    roots = [ledger.accept("a", "b") for _ in range(6)]
    for root in roots[:3]:
        ledger.succeed("a", root=root)
        ledger.fail("b", root=root)
    services.intervene(Verb.CANCEL, roots[3], ADA)
    failed = workbench.operate(Verb.RETRY)
    workbench.settle()
    assert failed.expect_ok()["changed"] == 3
    assert [ledger.draw(root) for root in roots[:3]] == ["pending[a ok, b claimable]"] * 3
    assert statuses(roots[3:]) == ["cancelled", "pending", "pending"]
    cancelled = workbench.operate(Verb.RETRY, Search(statuses=(Status.CANCELLED,)))
    workbench.settle()
    assert cancelled.expect_ok()["changed"] == 1
    assert statuses(roots) == ["pending"] * 6


def test_each_change_is_in_the_journal(workbench):
    roots = [ledger.accept("a") for _ in range(5)]
    run = workbench.operate(Verb.CANCEL, Search(action="test"))
    workbench.settle()
    [operation] = Intervention.objects.filter(part_of=None)
    assert (operation.who, operation.source, operation.verb, operation.report, operation.reason) == (
        *("ada", "admin", "cancel", run.id, "They were not wanted."),
    )
    assert operation.search["action"] == "test"
    parts = Intervention.objects.filter(part_of=operation).order_by("id")
    assert [part.report for part in parts] == roots
    assert {(part.who, part.verb, part.refused) for part in parts} == {("ada", "cancel", "")}


@pytest.mark.parametrize("work_done", [True, False])
def test_it_goes_on_where_its_worker_was_lost(workbench, work_done):
    roots = [ledger.accept("a") for _ in range(10)]
    for root in roots:
        ledger.fail("a", root=root)
    run = workbench.operate(Verb.RETRY)
    for task in ("interventions.cut", "interventions.work", "interventions.sum_up"):
        workbench.lose_worker_at(task, work_done=work_done)
    workbench.settle()
    assert run.expect_ok() == {"matched": 10, "changed": 10, "refused": 0}
    assert [ALL.get(id=root).retries for root in roots] == [1] * 10


def test_it_goes_on_in_the_middle_of_a_portion(workbench, monkeypatch):
    """A report that has failed again since it was retried is not retried again by the same operation."""
    roots = [ledger.accept("a") for _ in range(4)]
    for root in roots:
        ledger.fail("a", root=root)
    run = workbench.operate(Verb.RETRY)
    workbench.work(1)
    progress = services.work(Intervention.objects.get(part_of=None).id, after=None, up_to=roots[-1])
    assert next(progress) == 2  # and its worker dies
    for root in roots[:2]:
        ledger.fail("a", root=root)
    assert next(services.work(Intervention.objects.get(part_of=None).id, after=None, up_to=roots[-1])) == 4
    workbench.settle()
    assert run.expect_ok() == {"matched": 4, "changed": 4, "refused": 0}
    assert statuses(roots) == ["failed", "failed", "pending", "pending"]


def test_what_another_attempt_has_done_is_not_done_again(workbench, monkeypatch):
    """Two attempts at a portion at once: the worker of the first was not lost after all."""
    root = ledger.accept("a")
    ledger.fail("a", root=root)
    workbench.operate(Verb.RETRY)
    operation = Intervention.objects.get(part_of=None).id
    late = services.work(operation, after=None, up_to=root)
    listed = services.matches.list_ids

    def overtaken(*args, **options):
        ids = listed(*args, **options)
        if ids:
            monkeypatch.setattr(services.matches, "list_ids", listed)
            assert list(services.work(operation, after=None, up_to=root)) == [1]
            ledger.fail("a", root=root)
        return ids

    monkeypatch.setattr(services.matches, "list_ids", overtaken)
    assert list(late) == [1]
    assert ledger.draw(root) == "failed[a failed]"
    assert services.sum_up(operation) == {"matched": 1, "changed": 1, "refused": 0}


def test_its_memory_is_kept_as_long_as_it_can_go_on(workbench):
    """However old: without its entries, a retry of the operation would do everything once more."""
    roots = [ledger.accept("a") for _ in range(4)]
    for root in roots:
        ledger.fail("a", root=root)
    run = workbench.operate(Verb.RETRY)
    workbench.work(2)
    workbench.cancel(run)
    for root in roots:
        ledger.fail("a", root=root)
    made = selectors.read_clock() - timedelta(days=4)
    Intervention.objects.update(made_at=made)

    assert services.journal.purge_batch(older_than=3 * 24 * 3600).deleted == 0
    workbench.retry(run)
    workbench.settle()

    assert statuses(roots) == ["failed"] * 4
    ALL.filter(root=run.id).delete()
    Intervention.objects.update(made_at=made)
    assert services.journal.purge_batch(older_than=3 * 24 * 3600).deleted == 1 + 4


class TestRoom:
    """Clients are refused where too much waits. Retries of many stop before that."""

    @pytest.fixture
    def failed(self, settings):
        settings.REPORT_MAX_WAITING = 6  # of which retries take 3
        roots = [ledger.accept("a") for _ in range(5)]
        for root in roots:
            ledger.fail("a", root=root)
        return roots

    def test_it_puts_in_what_there_is_room_for_and_goes_on_as_workers_take_it(self, workbench, failed):
        run = workbench.operate(Verb.RETRY)
        workbench.work(2)
        assert statuses(failed) == ["pending"] * 3 + ["failed"] * 2
        assert admission.backlog.count_waiting(most=9) == 3
        workbench.work()
        assert run.status == Status.RUNNING
        ledger.succeed("a", root=failed[0])
        workbench.pass_time(5)
        workbench.work()
        assert statuses(failed) == ["ok"] + ["pending"] * 3 + ["failed"]
        for root in failed[1:4]:
            ledger.succeed("a", root=root)
        workbench.settle()
        assert run.expect_ok() == {"matched": 5, "changed": 5, "refused": 0}

    @pytest.mark.django_db(transaction=True)
    def test_its_report_says_what_it_waits_for(self, workbench, failed):
        run = workbench.operate(Verb.RETRY)
        for _ in failed:
            ledger.accept("b")
        workbench.work()
        said = (
            "It goes on when there is room: about 3 tasks or more wait for workers, and"
            " retries may fill no more than half of REPORT_MAX_WAITING."
        )
        assert run.report.progress == {"current": 0, "total": 5, "message": said}

    def test_it_waits_as_often_as_it_takes(self, workbench, failed):
        run = workbench.operate(Verb.RETRY)
        for _ in range(12):
            workbench.work()
            workbench.pass_time(5)
        assert run.status == Status.RUNNING
        workbench.cancel(run)
        workbench.settle()
        assert statuses(failed) == ["pending"] * 3 + ["failed"] * 2

    def test_what_is_cancelled_needs_no_room(self, workbench, settings):
        settings.REPORT_MAX_WAITING = 1
        roots = [ledger.accept("a") for _ in range(5)]
        run = workbench.operate(Verb.CANCEL)
        workbench.settle()
        assert run.expect_ok()["changed"] == 5
        assert statuses(roots) == ["cancelled"] * 5

    def test_the_ledger_is_not_asked_for_each(self, failed, settings, django_assert_num_queries):
        settings.REPORT_MAX_WAITING = 2000
        room = admission.RetryRoom()
        with django_assert_num_queries(1):
            for _ in range(1000):
                assert room.is_there()
                room.take(1)

    def test_several_by_their_ids_stop_where_it_ends(self, failed):
        done = services.intervene_in_each(Verb.RETRY, failed, ADA)
        assert [next(done), next(done), next(done)] == [None] * 3
        with pytest.raises(
            RoomLackingError, match=f"^2 of 5 were not retried, {failed[3]} and those after it: about 3"
        ):
            next(done)
        assert statuses(failed) == ["pending"] * 3 + ["failed"] * 2
        assert Intervention.objects.count() == 3
        assert list(services.intervene_in_each(Verb.RETRY, failed[3:4], ADA)) == [None]


def test_no_operation_is_acted_on_by_another(workbench):
    ledger.accept("a")
    first, second = workbench.operate(Verb.CANCEL), workbench.operate(Verb.CANCEL)
    workbench.settle()
    assert (first.expect_ok()["changed"], second.expect_ok()["changed"]) == (1, 0)
    with pytest.raises(SelectionInvalidError, match=r"^cancel-reports is an operation itself; cancel or retry it by"):
        interventions.request(Verb.CANCEL, Search(action="cancel-reports"), ADA)


def test_what_is_accepted_later_is_not_meant(workbench):
    roots = [ledger.accept("a") for _ in range(2)]
    workbench.operate(Verb.CANCEL)
    ledger.change(roots[1], created_at=selectors.read_clock().replace(year=2099))
    workbench.settle()
    assert statuses(roots) == ["cancelled", "pending"]


def test_a_cancelled_operation_stops_and_goes_on_when_it_is_retried(workbench):
    roots = [ledger.accept("a") for _ in range(12)]
    run = workbench.operate(Verb.CANCEL)
    workbench.work(2)
    workbench.cancel(run)
    workbench.work()
    assert statuses(roots) == ["cancelled"] * 4 + ["pending"] * 8
    workbench.retry(run)
    workbench.settle()
    assert run.expect_ok()["changed"] == 12
    assert statuses(roots) == ["cancelled"] * 12


def test_what_becomes_final_just_then_is_refused_and_counted(workbench, monkeypatch):
    roots = [ledger.accept("a") for _ in range(2)]
    workbench.operate(Verb.CANCEL)
    operation = Intervention.objects.get(part_of=None).id
    listed = services.matches.list_ids

    def finishing(*args, **options):
        ids = listed(*args, **options)
        if ids:
            ledger.succeed("a", root=roots[0])
            ALL.filter(root=roots[1]).delete()
        return ids

    monkeypatch.setattr(services.matches, "list_ids", finishing)
    for _ in services.work(operation, after=None, up_to=roots[-1]):
        monkeypatch.undo()
    assert services.sum_up(operation) == {"matched": 2, "changed": 0, "refused": 2}
    refused = Intervention.objects.filter(part_of=operation).order_by("id")
    assert [entry.refused for entry in refused] == ["report_final", "report_not_found"]


@pytest.mark.django_db(transaction=True)
def test_its_report_tells_how_far_it_is(workbench):
    for _ in range(9):
        ledger.accept("a")
    run = workbench.operate(Verb.CANCEL)
    workbench.work(3)
    assert run.report.progress == {"current": 6, "total": 9, "message": ""}


def test_nothing_to_change_is_refused(workbench):
    with pytest.raises(SelectionInvalidError) as refusal:
        interventions.request(Verb.CANCEL, Search(statuses=(Status.OK, Status.FAILED)), ADA)
    assert str(refusal.value) == "To cancel what is ok or failed changes nothing; choose what is pending or running."
    assert not ALL.exists()
    assert not Intervention.objects.exists()


def test_an_operation_that_finds_nothing_is_ok(workbench):
    run = workbench.operate(Verb.RETRY)
    workbench.settle()
    assert run.expect_ok() == {"matched": 0, "changed": 0, "refused": 0}
