import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder

from reports import workers
from services import health
from services.health import Verdict


@pytest.fixture
def worker(db):
    workers.show_up("one", queues=[], processes=1)


@pytest.fixture
def clock(monkeypatch):
    """The monotonic clock as the verdicts see it, in seconds: clock[0] is its time."""
    time = [1000.0]
    monkeypatch.setattr(health, "monotonic", lambda: time[0])
    return time


# What is found


def test_nothing_is_wrong_where_everything_is_there(worker, empty_broker):
    assert health.find_serving_faults() == []
    assert health.find_running_faults() == []


def test_a_broker_that_is_away_does_not_keep_requests_from_being_accepted(worker, dead_broker):
    assert health.find_serving_faults() == []
    [fault] = health.find_running_faults()
    assert fault.startswith("the broker does not answer (")


@pytest.mark.django_db
def test_nor_does_a_lack_of_workers(empty_broker):
    assert health.find_serving_faults() == []
    assert health.find_running_faults() == ["no worker is alive, and so no recovery"]


def test_a_database_that_is_not_migrated_serves_nobody(worker, empty_broker):
    MigrationRecorder.Migration.objects.filter(app="reports", name="0001_initial").delete()
    assert health.find_serving_faults() == ["migrations are not applied (reports.0001_initial)"]
    assert health.find_running_faults() == health.find_serving_faults()


@pytest.mark.django_db
def test_a_database_that_is_away_serves_nobody(empty_broker, monkeypatch):
    def be_away():
        raise OperationalError("connection refused\n\tIs the server running?")

    monkeypatch.setattr(health.migrations, "find_missing", be_away)
    expected = ["the database does not answer (connection refused Is the server running?)"]
    assert health.find_serving_faults() == expected
    assert health.find_running_faults() == expected


# How often it is looked for


def test_however_many_ask_it_is_looked_once_a_second(clock):
    looked = []
    verdict = Verdict("fine", lambda: looked.append(clock[0]) or [])
    for _ in range(100):
        verdict.faults()
        clock[0] += 0.03125
    assert looked == [1000, 1001, 1002, 1003]


def test_one_looks_and_the_others_are_given_the_last_answer(clock):
    looking, found = Event(), Event()

    def look():
        looking.set()
        assert found.wait(30)
        return ["wrong"]

    verdict = Verdict("fine", list)
    assert verdict.faults() == []
    verdict._check = look
    clock[0] += 1
    with ThreadPoolExecutor() as threads:
        first = threads.submit(verdict.faults)
        assert looking.wait(30)
        assert verdict.faults() == []
        clock[0] += 3.5
        assert verdict.faults() == []
        clock[0] += 1
        assert verdict.faults() == ["no answer for 5 seconds"]
        found.set()
        assert first.result(30) == ["wrong"]
    assert verdict.faults() == ["wrong"]


def test_who_asks_before_there_is_an_answer_is_told_so(clock):
    looking, found = Event(), Event()
    verdict = Verdict("fine", lambda: looking.set() or (found.wait(30) and []))
    with ThreadPoolExecutor() as threads:
        first = threads.submit(verdict.faults)
        assert looking.wait(30)
        assert verdict.faults() == ["no answer for 5 seconds"]
        found.set()
        assert first.result(30) == []


def test_a_check_that_fails_is_a_fault_and_the_next_one_is_made(clock, caplog):
    outcomes = iter([ZeroDivisionError("by 0"), []])

    def check():
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    verdict = Verdict("fine", check)
    assert verdict.faults() == ["the check itself failed (by 0)"]
    assert "The check whether this process is fine failed." in caplog.messages
    clock[0] += 1
    assert verdict.faults() == []


def test_the_log_tells_of_every_change_once(clock, caplog):
    caplog.set_level(logging.INFO, logger="services.health")
    outcomes = iter([[], ["a"], ["a"], ["a", "b"], [], []])
    verdict = Verdict("fine", lambda: next(outcomes))
    for _ in range(6):
        verdict.faults()
        clock[0] += 1
    assert caplog.messages == ["Not fine: a.", "Not fine: a; b.", "Fine again."]
