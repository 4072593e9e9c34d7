"""The test kit runs actions as the service does; what is shown here of the ledger is proved elsewhere."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from api.problems import ProblemError
from reports import selectors
from reports.models import AsyncActionReport
from testing.workbench import Workbench, run_action
from tests.unit.testing import trips
from tests.unit.testing.trips import done, faults

pytestmark = pytest.mark.django_db

STOPS = ["Rome", "Oslo", "Bern"]


# An action as clients ask for it


def test_an_action_runs_to_its_end(travel):
    run = run_action(travel, {"stops": STOPS})
    assert run.expect_ok() == {"stops": STOPS}
    assert done == STOPS
    assert run.statuses() == [("trips.visit", "ok")] * 3 + [("trips.tell", "ok")]
    assert (run.report.action, run.report.tasks_ok) == ("travel", 4)


def test_its_parameters_are_validated_as_a_client_s(travel):
    with pytest.raises(ValidationError, match="required"):
        run_action(travel, {})
    with pytest.raises(ProblemError, match="delay"):
        Workbench().request(travel, {"stops": []}, timing={"delay": "soon"})
    assert AsyncActionReport.objects.count() == 0


def test_what_a_chainable_returned_runs_as_well():
    assert run_action(trips.travel(STOPS)).expect_ok() == {"stops": STOPS}
    assert run_action(trips.plan.si(1)).expect_ok() == 1


def test_a_task_that_returns_signatures():
    run = run_action(trips.extended(STOPS))
    assert run.expect_ok() == {"stops": STOPS}
    assert run.statuses()[:3] == [("trips.plan", "ok"), ("trips.extend", "ok"), ("trips.visit", "ok")]


def test_actions_of_one_workbench_run_side_by_side(travel):
    workbench = Workbench()
    first, second = (workbench.request(travel, {"stops": [stop]}) for stop in ("Rome", "Oslo"))
    workbench.work()
    assert done == ["Rome", "Oslo"]
    assert [run.expect_ok() for run in (first, second)] == [{"stops": ["Rome"]}, {"stops": ["Oslo"]}]


# Time


def test_retries_do_not_wait(travel):
    faults["Oslo"] = 2
    workbench = Workbench()
    run = workbench.request(travel, {"stops": STOPS})
    workbench.settle()
    assert run.expect_ok() == {"stops": STOPS}
    assert done == ["Rome", "Oslo", "Bern", "Oslo", "Oslo"]
    assert workbench.waited == pytest.approx(120, abs=5)
    visits = [task for task in run.tasks if task.task == "trips.visit"]
    assert [(task.attempts, task.retries) for task in visits] == [(1, 0), (3, 2), (1, 0)]
    assert [error["code"] for error in visits[1].errors] == ["road_closed", "road_closed"]


def test_nothing_that_waits_runs_before_time_passes(travel):
    faults["Rome"] = 1
    workbench = Workbench()
    run = workbench.request(travel, {"stops": ["Rome"]}, timing={"delay": "3600"})
    workbench.work()
    assert (done, run.status) == ([], "pending")
    workbench.pass_time(3590)
    workbench.work()
    assert done == []
    workbench.pass_time(11)
    workbench.work()
    assert (done, run.status) == (["Rome"], "running")
    workbench.pass_time(61)
    workbench.work()
    assert run.expect_ok() == {"stops": ["Rome"]}


def test_time_passes_for_all_that_the_ledger_knows(travel):
    workbench = Workbench()
    run = workbench.request(travel, {"stops": STOPS}, timing={"delay": "60"})
    before, at = run.report, selectors.read_clock()
    workbench.pass_time(10)
    after = run.report
    assert before.not_before - after.not_before == timedelta(seconds=10)
    assert at - after.created_at > timedelta(seconds=9)


def test_a_deadline_passes(travel):
    workbench = Workbench()
    run = workbench.request(travel, {"stops": STOPS}, timing={"expires_in": "60"})
    workbench.pass_time(61)
    workbench.work()
    run.expect_failed("expired")
    assert done == []


@trips.chainable
def waiting(stops):
    return trips.wait.si()


def test_a_time_budget_ends_what_waits_for_longer():
    workbench = Workbench()
    run = workbench.request(trips.declare(canvas=waiting), {"stops": []})
    workbench.settle()
    run.expect_failed("timed_out")
    assert workbench.waited == pytest.approx(600, abs=5)


def test_what_goes_on_for_ever_is_told(monkeypatch):
    monkeypatch.setattr("testing.workbench._MOST_ATTEMPTS", 10)
    with pytest.raises(AssertionError, match=r"^trips\.wait goes on for ever, after 10 attempts"):
        run_action(trips.wait.si())


# Order


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers())
def test_the_same_seed_has_the_same_order(travel, seed):
    orders = []
    for _ in range(2):
        done.clear()
        assert run_action(travel, {"stops": STOPS}, seed=seed).expect_ok() == {"stops": STOPS}
        orders.append(list(done))
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == sorted(STOPS)


def test_seeds_find_every_order(travel):
    orders = set()
    for seed in range(30):
        done.clear()
        run_action(travel, {"stops": STOPS}, seed=seed)
        orders.add(tuple(done))
    assert len(orders) == 6


# Workers that are lost


def test_a_task_that_may_run_again_does_its_work_twice(travel):
    run = run_action(travel, {"stops": STOPS}, lose_worker_at=["trips.visit"])
    assert run.expect_ok() == {"stops": STOPS}
    assert sorted(done) == sorted([*STOPS, "Rome"])
    lost = run.tasks[0]
    assert (lost.attempts, lost.retries, lost.errors[0]["code"]) == (2, 0, "worker_lost")


def test_one_whose_worker_was_lost_before_it_did_anything(travel):
    workbench = Workbench()
    workbench.lose_worker_at("trips.visit", work_done=False)
    run = workbench.request(travel, {"stops": ["Rome"]})
    workbench.settle()
    assert run.expect_ok() == {"stops": ["Rome"]}
    assert (done, run.task("trips.visit").attempts) == (["Rome"], 2)


def test_one_that_may_not_run_again_fails():
    run = run_action(trips.visit_once.si("Rome"), lose_worker_at=["trips.visit_once"])
    assert run.expect_failed("worker_lost").task == "trips.visit_once"
    assert done == ["Rome"]


def test_a_task_that_loses_a_worker_too_often_fails(settings):
    settings.RECOVERY_MAX_LOSSES = 1
    run = run_action(trips.visit.si("Rome"), lose_worker_at=["trips.visit", "trips.visit"])
    run.expect_failed("worker_lost")


def test_a_worker_is_lost_as_well_where_its_task_was_failing():
    faults["Rome"] = 1
    run = run_action(trips.visit.si("Rome"), lose_worker_at=["trips.visit"])
    assert run.expect_ok() == "Rome"
    assert [error["code"] for error in run.task("trips.visit").errors] == ["worker_lost"]


def test_the_kit_leaves_nothing_patched(travel):
    run_action(travel, {"stops": STOPS}, lose_worker_at=["trips.visit"])
    assert run_action(travel, {"stops": STOPS}).task("trips.tell").attempts == 1


# What clients do later


def test_a_failed_action_is_retried_and_goes_on(travel):
    faults["Oslo"] = 3
    workbench = Workbench()
    run = workbench.request(travel, {"stops": STOPS})
    workbench.settle()
    assert run.expect_failed("road_closed").message == "The road to Oslo is closed."
    done.clear()
    workbench.retry(run)
    workbench.settle()
    assert run.expect_ok() == {"stops": STOPS}
    assert done == ["Oslo"]


def test_a_cancelled_action_starts_nothing_more(travel):
    workbench = Workbench()
    run = workbench.request(travel, {"stops": STOPS})
    workbench.work(1)
    workbench.cancel(run)
    workbench.settle()
    assert (done, run.status) == (["Rome"], "cancelled")


@pytest.mark.django_db(transaction=True)
def test_it_needs_no_broker_where_transactions_are_committed(travel):
    assert run_action(travel, {"stops": STOPS}).expect_ok() == {"stops": STOPS}
