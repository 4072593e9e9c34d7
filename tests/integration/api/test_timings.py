"""How long reports say that they waited and ran, on rows whose times are set by hand."""

from datetime import timedelta

import pytest

from reports.models import AsyncActionReport
from tests.integration.api.ledger import A_GROUP

ALL = AsyncActionReport.objects


@pytest.fixture
def at(ada, ledger):
    """Return a function that sets times of a report, in seconds since its action was asked for."""

    def change(id_, **seconds):
        begun = ALL.get(id=ALL.get(id=id_).root_id).created_at
        times = {name: None if s is None else begun + timedelta(seconds=s) for name, s in seconds.items()}
        assert ALL.filter(id=id_).update(**times) == 1

    return change


@pytest.fixture
def seconds_of(ada):
    """Return a function that returns queued_seconds and run_seconds of a report."""

    def read(id_):
        body = ada.get(f"/reports/{id_}").json()
        return body["queued_seconds"], body["run_seconds"]

    return read


def task_of(root, position=0):
    return ALL.get(root=root, kind="task", position=position).id


def test_an_action_waits_and_then_runs(ledger, at, seconds_of):
    report = ledger.accept()
    assert seconds_of(report) == (None, None)
    ledger.succeed(report, 1)
    at(report, started_at=2.5)
    assert seconds_of(report) == (2.5, None)
    ledger.succeed(report, 2)
    at(report, started_at=2.5, finished_at=62.75)
    assert seconds_of(report) == (2.5, 60.25)


def test_a_schedule_is_not_waited_for(ledger, at, seconds_of):
    report = ledger.accept()
    ledger.succeed(report, 1, 2)
    at(report, not_before=3600, started_at=3601, finished_at=3602)
    assert seconds_of(report) == (1, 1)


def test_a_retried_action_counts_from_the_retry(ledger, at, seconds_of):
    report = ledger.accept()
    ledger.fail(report)
    ledger.resume(report)
    assert seconds_of(report) == (None, None)
    assert ALL.get(id=report).dispatched_at is not None
    ledger.succeed(report, 1, 2)
    at(report, dispatched_at=100, started_at=103, finished_at=105)
    assert seconds_of(report) == (3, 2)


@pytest.mark.parametrize("end", ["cancel", "fail"])
def test_an_action_that_did_not_come_to_its_end(ledger, at, seconds_of, end):
    report = ledger.accept()
    if end == "fail":
        ledger.fail(report)
        at(report, started_at=1, finished_at=4)
        assert seconds_of(report) == (1, 3)
    else:
        ledger.cancel(report)
        assert seconds_of(report) == (None, None)


def test_a_task_s_newest_attempt(ledger, at, seconds_of):
    report = ledger.accept()
    task = task_of(report)
    ledger.put_off(report)
    at(task, dispatched_at=0, started_at=1, not_before=30)
    assert seconds_of(task) == (None, None)  # it waits again
    at(task, not_before=-1)  # its time has come
    ledger.succeed(report, 1)
    at(task, dispatched_at=0, not_before=30, started_at=32, finished_at=35)
    assert seconds_of(task) == (2, 3)


def test_a_task_that_was_cancelled_while_it_waited_for_another_attempt_did_not_run_all_the_time(ledger, at, seconds_of):
    report = ledger.accept()
    task = task_of(report)
    ledger.put_off(report, delay=3600)
    ledger.cancel(report)
    at(task, dispatched_at=0, started_at=1, not_before=3600, finished_at=100)
    assert seconds_of(task) == (None, None)


def test_a_task_that_waits_for_others(ledger, seconds_of):
    report = ledger.accept()
    assert seconds_of(task_of(report, position=1)) == (None, None)


def test_a_group_runs_from_its_turn_on(ada, ledger, at, seconds_of):
    report = ledger.accept(A_GROUP)
    group = ALL.get(root=report, kind="group").id
    assert seconds_of(group) == (None, None)
    ledger.succeed(report, 1, 2)
    at(group, dispatched_at=5, finished_at=9)
    assert seconds_of(group) == (None, 4)
    listed, *_ = ada.get(f"/reports/{report}/tasks").json()["items"]
    assert (listed["queued_seconds"], listed["run_seconds"]) == (None, 4)


def test_lists_show_them_too(ada, ledger, at):
    report = ledger.accept()
    ledger.succeed(report, 1, 2)
    at(report, started_at=1, finished_at=3)
    [item] = ada.get("/reports").json()["items"]
    assert (item["queued_seconds"], item["run_seconds"]) == (1, 2)
