"""What a pass of recovery says of its worker. What passes do is tested in tests/unit/services and with live workers."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from celery import current_app
from celery.worker import state

from reports.models import Worker
from tasks.recovery_step import Duty, RecoveryThread
from tasks.worker import worker_name

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture
def thread():
    consumer = SimpleNamespace(task_buckets={})
    return RecoveryThread(SimpleNamespace(app=current_app, concurrency=3, pool=None, consumer=consumer))


def queues():
    return Worker.objects.get(name=worker_name()).queues


def test_a_whole_pass_says_that_the_worker_is_there(thread, settings):
    thread._run_pass()
    [worker] = Worker.objects.all()
    assert (worker.name, worker.queues, worker.processes) == (worker_name(), [settings.TASK_DEFAULT_QUEUE], 3)


def test_a_pass_that_fails_does_not(thread, monkeypatch):
    *others, last = thread._duties
    monkeypatch.setattr(thread, "_duties", (*others, Duty(lambda: 1 / 0), last))
    thread._run_pass()
    assert not Worker.objects.exists()


def test_a_worker_that_comes_to_its_end_takes_from_no_queue(thread, monkeypatch):
    monkeypatch.setattr(state, "should_stop", 0)
    thread._run_pass()
    assert queues() == []


def test_workers_that_were_lost_are_forgotten_after_an_hour(thread):
    for name, minutes in (("lost", 59), ("lost long ago", 61)):
        Worker.objects.create(name=name, processes=1, heartbeat_at=datetime.now(UTC) - timedelta(minutes=minutes))
    thread._run_pass()
    assert set(Worker.objects.values_list("name", flat=True)) == {"lost", worker_name()}


def test_who_leaves_takes_its_row_with_it(thread):
    thread._run_pass()
    thread._leave()
    assert not Worker.objects.exists()


def test_it_says_so_once_for_each_heartbeat_interval(thread):
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    thread._run_pass()
    Worker.objects.update(heartbeat_at=long_ago)
    thread._run_pass()
    assert Worker.objects.get().heartbeat_at == long_ago
