from datetime import UTC, datetime, timedelta

import pytest
from celery import current_app, shared_task
from celery.app.routes import prepare

from reports import workers
from reports.models import AsyncActionReport, Worker
from services.doctor import work
from tests.unit.reports import ledger
from tests.unit.reports.plans import group, task

pytestmark = pytest.mark.django_db

HOUR = 3600.0


@shared_task(name="doctor.usual")
def usual():
    """Goes to the default queue."""


@shared_task(name="doctor.slow")
def slow():
    """Goes to a queue of its own."""


@pytest.fixture(autouse=True)
def _routes(monkeypatch):
    monkeypatch.setattr(current_app.amqp.router, "routes", prepare({"doctor.slow": {"queue": "slow"}}))


@pytest.fixture
def show_up(settings):
    def show_up(name="one", *queues, processes=2, ago=0.0):
        workers.show_up(name, queues=queues or [settings.TASK_DEFAULT_QUEUE], processes=processes)
        Worker.objects.filter(name=name).update(heartbeat_at=past(ago))

    return show_up


def past(seconds):
    return datetime.now(UTC) - timedelta(seconds=seconds)


def let_wait(*names, seconds):
    AsyncActionReport.objects.filter(task__in=names).update(dispatched_at=past(seconds))


def waiting(longest_wait=HOUR):
    return work.examine_waiting(longest_wait)


# Workers


def test_workers_that_are_alive(told, show_up):
    show_up("one", processes=2)
    show_up("two", processes=4)
    assert told(work.examine_workers()) == [("ok", "2 workers alive, for 6 tasks at once.")]


def test_no_worker(told):
    assert told(work.examine_workers()) == [
        ("wrong", "No worker is alive: nothing runs, and what was lost is not taken up.")
    ]


def test_a_worker_that_was_lost(told, show_up):
    show_up("one")
    show_up("celery@lost#1", ago=600)
    assert told(work.examine_workers()) == [
        ("ok", "1 worker alive, for 2 tasks at once."),
        ("mind", "The worker celery@lost#1 has not been heard of for 10 min."),
    ]


# What waits


def test_nothing_waits(told):
    assert told(waiting()) == [("ok", "0 tasks waiting for a worker.")]


def test_what_has_not_waited_long(told, show_up):
    show_up()
    ledger.accept(group("doctor.usual", "doctor.usual"), "doctor.slow")
    let_wait("doctor.usual", seconds=300)
    assert told(waiting()) == [("ok", "2 tasks waiting for a worker, for 5 min at most.")]


def test_what_has_waited_too_long(told, show_up, settings):
    show_up()
    ledger.accept(group("doctor.usual", task("doctor.usual", options={"priority": 3})))
    let_wait("doctor.usual", seconds=4 * HOUR)
    queue = settings.TASK_DEFAULT_QUEUE
    assert told(waiting()) == [
        ("wrong", f"doctor.usual has waited for a worker for 4 h, in the queue {queue} with 2 tasks.")
    ]
    assert told(waiting(longest_wait=5 * HOUR)) == [("ok", "2 tasks waiting for a worker, for 4 h at most.")]


def test_a_queue_that_no_worker_takes_from(told, show_up):
    show_up("one")
    show_up("was killed", "slow", "elsewhere", ago=600)
    ledger.accept(group("doctor.usual", "doctor.slow", task("doctor.usual", options={"queue": "elsewhere"})))
    let_wait("doctor.slow", seconds=60)
    assert told(waiting()) == [
        ("wrong", "No worker takes from the queue slow: 1 task waiting, for 60 s at most."),
        ("wrong", "No worker takes from the queue elsewhere: 1 task waiting, for 0 s at most."),
    ]
    show_up("two", "slow", "elsewhere")
    assert [verdict for verdict, _ in told(waiting())] == ["ok"]


def test_a_queue_whose_worker_comes_to_its_end(told, show_up):
    ledger.accept("doctor.usual")
    workers.show_up("one", queues=[], processes=1)
    [(verdict, what)] = told(waiting())
    assert verdict == "wrong"
    assert what.startswith("No worker takes from the queue ")


def test_tasks_that_nobody_knows(told, show_up):
    show_up()
    ledger.accept(group("doctor.gone", "doctor.gone", "doctor.usual"))
    assert told(waiting()) == [("wrong", "2 tasks waiting that this code does not know: doctor.gone.")]


def test_what_is_scheduled_or_waits_for_others_or_runs_does_not_wait_for_a_worker(told, show_up):
    show_up()
    ledger.accept(group("doctor.usual", "doctor.slow"), "doctor.gone")
    ledger.put_off("doctor.usual", delay=100)
    ledger.claim("doctor.slow")
    assert told(waiting()) == [("ok", "0 tasks waiting for a worker.")]


def test_a_task_that_waited_for_its_time_waits_for_a_worker_since_then(told, show_up):
    show_up()
    ledger.accept("doctor.usual")
    ledger.put_off("doctor.usual")
    let_wait("doctor.usual", seconds=5 * HOUR)
    AsyncActionReport.objects.filter(task="doctor.usual").update(not_before=past(300))
    assert told(waiting()) == [("ok", "1 task waiting for a worker, for 5 min at most.")]


# What nobody takes care of


def test_nothing_is_left_lying(told):
    ledger.accept("doctor.usual")
    ledger.claim("doctor.usual")
    assert told(work.examine_care()) == [("ok", "Nothing is left lying.")]


def test_tasks_whose_worker_is_lost_and_that_are_not_rescued(told, settings):
    settings.RECOVERY_LEASE = 30.0
    ledger.accept("doctor.usual")
    claim = ledger.claim("doctor.usual")
    ledger.change(claim.id, heartbeat_at=past(100))
    assert told(work.examine_care()) == [("wrong", "1 task running whose worker has not been heard of for 90 s.")]


def test_reports_that_are_due_and_not_published(told):
    ledger.accept(group("doctor.usual", "doctor.slow"))
    AsyncActionReport.objects.filter(task="doctor.usual").update(due_at=past(61))
    assert told(work.examine_care()) == [("wrong", "1 task due for more than 60 s and not published.")]
