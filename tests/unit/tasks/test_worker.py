import os

from celery.signals import celeryd_init

from tasks import worker
from tasks.worker import child_name, claimant_name, worker_name


def test_a_process_that_is_no_worker_has_a_name_too():
    assert worker_name().startswith(f"process-{os.getpid()}#")


def test_a_worker_is_called_what_celery_calls_it_and_is_told_from_its_last_life(monkeypatch):
    monkeypatch.setattr(worker, "_name", worker._name)
    celeryd_init.send(sender="celery@host", instance=None, conf=None, options={})
    name, incarnation = worker_name().split("#")
    assert (name, len(incarnation)) == ("celery@host", 8)


def test_its_children_s_names_begin_with_its_own():
    assert child_name(12) == f"{worker_name()}:12-"
    assert claimant_name().startswith(child_name(os.getpid()))


def test_no_two_claims_are_made_under_one_name():
    assert len({claimant_name() for _ in range(100)}) == 100
