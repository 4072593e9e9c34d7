from datetime import UTC, datetime, timedelta

import pytest
from celery import current_app, shared_task
from celery.app.routes import prepare

from reports import execution, intervention, waiting
from reports.errors import AttemptLostError
from reports.failure import Failure
from reports.models import AsyncActionReport, Status
from reports.requests import Timing
from services import recovery
from tasks.base import BaseTask
from tests.unit.reports import ledger
from tests.unit.reports.plans import group, task
from tests.unit.services import broker

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects
PAST = datetime(2026, 1, 1, tzinfo=UTC)


class ResilientTask(BaseTask):
    abstract = True
    retry_on_worker_lost = True


@shared_task(name="recovery.resilient", base=ResilientTask)
def resilient():
    """May run again after its worker was lost."""


@shared_task(name="recovery.fragile")
def fragile():
    """May not."""


@shared_task(name="recovery.elsewhere")
def elsewhere():
    """Is published to a queue of its own."""


@pytest.fixture
def _routes(monkeypatch):
    routes = prepare({"recovery.elsewhere": {"queue": "elsewhere"}})
    monkeypatch.setattr(current_app.amqp.router, "routes", routes)


def published():
    return sorted(message.task[0] for message in broker.messages())


def lose(name):
    """Claim a task and let its worker not be heard of any more."""
    claim = ledger.claim(name)
    ledger.change(claim.id, heartbeat_at=PAST)
    return claim


# Publishing what is due


def test_what_is_due_is_published(empty_broker):
    ledger.accept(group("a", task("b", options={"queue": "slow"}), "c"), "d")
    ALL.filter(task__in="ab").update(due_at=PAST)
    assert not recovery.publish_due()
    assert published() == ["a", "b"]
    assert not recovery.publish_due()
    assert published() == ["a", "b"]


def test_a_batch_at_a_time_is_published(empty_broker, monkeypatch):
    monkeypatch.setattr(recovery, "_BATCH", 2)
    ledger.accept(group("a", "b", "c"))
    ALL.filter(task__in="abc").update(due_at=PAST)
    assert [recovery.publish_due(), recovery.publish_due(), recovery.publish_due()] == [True, False, False]
    assert published() == ["a", "b", "c"]


def test_what_is_due_while_the_broker_is_away_is_due_soon_again(dead_broker, monkeypatch):
    monkeypatch.setattr(recovery, "_BATCH", 1)
    ledger.accept("a")
    ALL.filter(task="a").update(due_at=PAST)
    assert not recovery.publish_due()
    assert ledger.find("a").due_at - datetime.now(UTC) < timedelta(seconds=2)


# Rescuing what is stuck


def test_a_task_whose_worker_was_lost_fails():
    root = ledger.accept("recovery.fragile", "b")
    lose("recovery.fragile")
    assert not recovery.rescue_stale()
    assert ledger.draw(root) == "failed[recovery.fragile failed, b cancelled]"
    row = ledger.find("recovery.fragile")
    assert (row.error_code, row.error_type, row.error_task) == ("worker_lost", "WorkerLostError", "recovery.fragile")


def test_the_log_says_of_which_report_a_lost_task_is(logged):
    root = ledger.accept("recovery.fragile")
    lose("recovery.fragile")
    recovery.rescue_stale()
    [line] = logged()
    assert line["event"].endswith("whether its work was done is not known.")
    assert (line["report"], line["task_id"]) == (str(root), str(ledger.find("recovery.fragile").id))


def test_a_task_that_nobody_here_knows_fails():
    root = ledger.accept("recovery.unknown")
    lose("recovery.unknown")
    recovery.rescue_stale()
    assert ledger.draw(root) == "failed[recovery.unknown failed]"


def test_a_task_that_may_run_again_does_so_many_times(settings):
    settings.RECOVERY_MAX_LOSSES = 2
    root = ledger.accept("recovery.resilient")
    for losses in (1, 2):
        lose("recovery.resilient")
        recovery.rescue_stale()
        row = ledger.find("recovery.resilient")
        assert (row.losses, row.retries, len(row.errors)) == (losses, 0, losses)
        assert ledger.draw(root) == "running[recovery.resilient claimable]"
    lose("recovery.resilient")
    recovery.rescue_stale()
    assert ledger.draw(root) == "failed[recovery.resilient failed]"


def test_a_task_that_may_run_again_is_not_under_an_action_that_has_ended():
    root = ledger.accept("recovery.resilient")
    lose("recovery.resilient")
    intervention.cancel(root)
    recovery.rescue_stale()
    assert ledger.draw(root) == "cancelled[recovery.resilient cancelled]"


def test_a_batch_at_a_time_is_rescued(monkeypatch):
    monkeypatch.setattr(recovery, "_FEW", 2)
    ledger.accept("a")
    ledger.accept("b")
    ledger.accept("c")
    for name in "abc":
        lose(name)
    assert [recovery.rescue_stale(), recovery.rescue_stale()] == [True, False]
    assert ALL.filter(task__in="abc", status=Status.FAILED).count() == 3


def test_what_is_alive_is_left_alone():
    root = ledger.accept("a")
    claim = ledger.claim("a")
    recovery.rescue_stale()
    assert ledger.draw(root) == "running[a running]"
    assert execution.succeed(claim, None) == []


def test_one_whose_outcome_was_recorded_after_all_is_left_alone(caplog, logged):
    root = ledger.accept("a")
    claim = lose("a")
    (stale,) = waiting.take_stale(10)
    execution.succeed(claim, "late")
    before = ledger.snapshot()
    with caplog.at_level("INFO", logger="services.recovery"):
        recovery.rescue(stale)
    assert ledger.snapshot() == before
    line = logged()[-1]
    assert line["event"] == f"a[{claim.id}] had its outcome recorded after all."
    assert line["report"] == str(root)
    with pytest.raises(AttemptLostError):
        execution.fail(claim.id, claim.attempt, Failure.worker_lost(task="a"))


def test_a_task_that_was_stopped_on_purpose_is_cancelled():
    root = ledger.accept("recovery.fragile")
    claim = ledger.claim("recovery.fragile")
    intervention.cancel(root)
    recovery.rescue(waiting.find_lost(claim.id, worker=ledger.WORKER), Failure.terminated(task="recovery.fragile"))
    row = ledger.find("recovery.fragile")
    assert (row.status, row.errors[0]["code"]) == (Status.CANCELLED, "cancelled")


def test_a_task_that_ran_into_its_time_limit_fails_though_it_may_run_again():
    root = ledger.accept("recovery.resilient")
    claim = ledger.claim("recovery.resilient")
    timed_out = Failure.timed_out(TimeoutError(5), task="recovery.resilient", traceback="")
    recovery.rescue(waiting.find_lost(claim.id, worker=ledger.WORKER), timed_out)
    assert ledger.draw(root) == "failed[recovery.resilient failed]"
    assert ledger.find("recovery.resilient").error_code == "timed_out"


# Messages that a broker has lost


@pytest.mark.usefixtures("_routes")
def test_what_an_empty_queue_should_have_held_is_published_again(empty_broker, settings):
    ledger.accept(group("recovery.fragile", "recovery.elsewhere"))
    ALL.exclude(task="").update(dispatched_at=datetime.now(UTC) - timedelta(seconds=6))
    recovery.republish_lost([settings.TASK_DEFAULT_QUEUE])
    recovery.publish_due()
    assert published() == ["recovery.fragile"]
    recovery.republish_lost(["elsewhere"])
    recovery.publish_due()
    assert published() == ["recovery.elsewhere", "recovery.fragile"]


def test_what_may_still_be_on_its_way_is_not(settings):
    ledger.accept("recovery.fragile")
    before = ledger.snapshot()
    recovery.republish_lost([settings.TASK_DEFAULT_QUEUE])
    recovery.republish_lost([])
    assert ledger.snapshot() == before


# Deadlines


def test_what_is_overdue_is_ended_a_batch_at_a_time(monkeypatch):
    monkeypatch.setattr(recovery, "_FEW", 2)
    roots = [ledger.accept("a", timing=Timing(expires_at=PAST)) for _ in range(3)]
    in_time = ledger.accept("a", timing=Timing(expires_at=datetime.now(UTC) + timedelta(hours=1)))
    assert [recovery.end_overdue(), recovery.end_overdue(), recovery.end_overdue()] == [True, False, False]
    assert set(ALL.filter(id__in=roots).values_list("error_code", flat=True)) == {"expired"}
    assert ALL.get(id=in_time).status == Status.PENDING
