from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from prometheus_client import CollectorRegistry

from reports import census, workers
from reports.requests import Timing
from services.metrics import counted
from services.metrics.ledger import LedgerCollector
from tests.unit.reports import ledger
from tests.unit.reports.plans import group, task

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _declared(monkeypatch):
    monkeypatch.setattr(counted, "_declared", {"declared", "other-one"})


def told() -> dict[tuple, float]:
    """Return what the ledger says, by name and labels."""
    registry = CollectorRegistry()
    registry.register(LedgerCollector())
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
    }


def waiting_of(told: dict[tuple, float]) -> dict[tuple, float]:
    return {labels[1:]: value for labels, value in told.items() if labels[0] == "async_actions_tasks_waiting"}


def test_what_waits_and_runs_by_action_and_queue(settings):
    ledger.accept(group("a", "b", task("c", options={"queue": "slow"}), "d"), "later", action="declared")
    ledger.accept("a2", action="other-one")
    ledger.accept("a3", action="made-up")
    ledger.claim("b")
    ledger.succeed("d")
    seen = told()
    assert waiting_of(seen) == {
        ("declared", settings.TASK_DEFAULT_QUEUE): 1,
        ("declared", "slow"): 1,
        ("other-one", settings.TASK_DEFAULT_QUEUE): 1,
        ("other", settings.TASK_DEFAULT_QUEUE): 1,
    }
    assert seen["async_actions_tasks_running", "declared"] == 1


def test_how_long_the_oldest_has_waited(settings):
    past = datetime.now(UTC) - timedelta(seconds=100)
    ledger.accept(group("a", "b"), action="declared")
    ledger.change(ledger.find("a").id, dispatched_at=past)
    waited = told()["async_actions_oldest_waiting_seconds", "declared", settings.TASK_DEFAULT_QUEUE]
    assert 99.9 < waited < 160  # as exact as SQLite reckons


def test_what_waits_for_its_time_waits_for_no_worker():
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    ledger.accept("a", action="declared", timing=Timing(not_before=tomorrow))
    ledger.accept("b", action="declared")
    ledger.put_off("b", delay=60)
    assert waiting_of(told()) == {}


def test_no_more_are_counted_than_is_worth_it(monkeypatch, settings):
    monkeypatch.setattr(census, "MOST_COUNTED", 3)
    ledger.accept(group("a", "b", "c", "d"), action="declared")
    assert waiting_of(told()) == {("declared", settings.TASK_DEFAULT_QUEUE): 3}


def test_workers_that_are_alive():
    for name, processes in (("one", 2), ("two", 4)):
        workers.show_up(name, queues=["x"], processes=processes)
    seen = told()
    assert seen["async_actions_workers_alive",] == 2
    assert seen["async_actions_worker_processes",] == 6
    assert seen["async_actions_ledger_up",] == 1


def test_a_ledger_that_is_away_is_told_and_nothing_else(monkeypatch):
    def fail():
        raise OperationalError

    monkeypatch.setattr(census, "count_waiting", fail)
    assert told() == {("async_actions_ledger_up",): 0}


def test_the_ledger_is_asked_every_few_seconds_at_most(django_assert_num_queries):
    collector = LedgerCollector()
    with django_assert_num_queries(3):
        first = list(collector.collect())
        assert list(collector.collect()) == first
