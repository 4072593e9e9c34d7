from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports import selectors
from reports.acceptance import Timing
from reports.models import AsyncActionReport
from reports.selectors import read_clock
from services import durations
from services.durations import seconds_until_worth_asking
from tests.unit.reports import ledger

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _knows_nothing():
    durations.forget()
    yield
    durations.forget()


@pytest.fixture
def ada(db):
    return get_user_model().objects.create(username="ada").id


def report_of(root, **changes):
    report = selectors.find_outline(root, owner=None)
    assert report is not None
    return replace(report, **changes)


def after(root, seconds, *, started=None):
    """Return the report as it is so many seconds after it was asked for."""
    report = report_of(root)
    begun = report.created_at + timedelta(seconds=started) if started is not None else None
    return replace(report, started_at=begun, read_at=report.created_at + timedelta(seconds=seconds))


def record(owner, *, waited, ran, action="test", status="ok"):
    """Have an action that has waited and run for so many seconds."""
    root = ledger.accept("a", action=action, requested_by=owner)
    created = report_of(root).created_at
    started = created + timedelta(seconds=waited)
    finished = started + timedelta(seconds=ran)
    ledger.change(root, status=status, started_at=started, finished_at=finished)
    return root


def test_of_what_is_not_known_it_is_asked_soon_and_less_often_the_longer_it_takes(ada):
    root = ledger.accept("a", requested_by=ada)
    asked = [seconds_until_worth_asking(after(root, seconds)) for seconds in (0, 3, 20, 100, 1000)]
    assert asked == [1, 1, 5, 25, 60]


def test_what_usually_takes_so_long_is_asked_for_when_it_is_likely_to_be_final(ada):
    for ran in (20, 21, 22, 23, 24):
        record(ada, waited=10, ran=ran)
    root = ledger.accept("a", requested_by=ada)
    assert seconds_until_worth_asking(after(root, 0)) == 32
    assert seconds_until_worth_asking(after(root, 30.0)) == 3  # of the four that took longer, half were final then
    assert seconds_until_worth_asking(after(root, 12, started=12)) == 22
    assert seconds_until_worth_asking(after(root, 24, started=1)) == 1
    assert seconds_until_worth_asking(after(root, 101, started=1)) == 25  # longer than ever


def test_both_ok_and_failed_tell_how_long_it_takes_and_nothing_else(ada):
    record(ada, waited=0, ran=10, status="failed")
    record(ada, waited=0, ran=50, status="cancelled")
    record(ada, waited=0, ran=50, action="other")
    record(None, waited=0, ran=50)
    root = ledger.accept("a", requested_by=ada)
    record(ada, waited=0, ran=50)  # came later
    assert seconds_until_worth_asking(after(root, 0)) == 10


def test_a_schedule_is_waited_for_and_then_the_usual_time(ada):
    def scheduled(seconds):
        moment = read_clock() + timedelta(seconds=seconds)
        return ledger.accept("a", requested_by=ada, timing=Timing(not_before=moment))

    assert seconds_until_worth_asking(report_of(scheduled(20.5))) in (20, 21)
    assert seconds_until_worth_asking(report_of(scheduled(3600))) == 60
    durations.forget()
    record(ada, waited=0, ran=10)
    assert seconds_until_worth_asking(report_of(scheduled(20.5))) in (30, 31)


def test_after_a_retry_the_time_counts_anew(ada):
    record(ada, waited=0, ran=10)
    root = ledger.accept("a", requested_by=ada)
    report = report_of(root)
    retried = replace(report, dispatched_at=report.created_at + timedelta(days=1), retries=1)
    assert seconds_until_worth_asking(replace(retried, read_at=report.created_at + timedelta(days=1))) == 10


def test_a_report_that_nobody_asked_for(db):
    record(None, waited=0, ran=10)
    root = ledger.accept("a")
    assert seconds_until_worth_asking(after(root, 0)) == 10


def test_a_task_has_no_usual_time(ada, django_assert_num_queries):
    ledger.accept("a", requested_by=ada)
    task = report_of(ledger.find("a").id)
    with django_assert_num_queries(0):
        assert seconds_until_worth_asking(task) == 1


def test_what_is_known_is_not_asked_again_for_a_while(ada, django_assert_num_queries, monkeypatch):
    record(ada, waited=0, ran=10)
    report = after(ledger.accept("a", requested_by=ada), 0)
    with django_assert_num_queries(1):
        for _ in range(5):
            assert seconds_until_worth_asking(report) == 10
    AsyncActionReport.objects.exclude(id=report.id).delete()
    record(ada, waited=0, ran=20)
    later = after(ledger.accept("a", requested_by=ada), 0)
    assert seconds_until_worth_asking(later) == 10
    monkeypatch.setattr(durations, "monotonic", lambda now=durations.monotonic: now() + 60)
    with django_assert_num_queries(1):
        assert seconds_until_worth_asking(later) == 20


def test_many_that_wait_do_not_make_it_forget(ada, monkeypatch):
    record(ada, waited=0, ran=10)
    assert seconds_until_worth_asking(after(ledger.accept("a", requested_by=ada), 0)) == 10
    waiting = [ledger.accept("a", requested_by=ada) for _ in range(60)]
    monkeypatch.setattr(durations, "monotonic", lambda now=durations.monotonic: now() + 60)
    assert seconds_until_worth_asking(after(waiting[-1], 0)) == 10


def test_it_does_not_remember_without_bounds(ada, monkeypatch):
    monkeypatch.setattr(durations, "_MOST_KNOWN", 3)
    for n in range(10):
        seconds_until_worth_asking(after(ledger.accept("a", action=f"a{n}", requested_by=ada), 0))
    assert len(durations._known) <= 3


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples=st.lists(st.floats(0, 1e6), max_size=5), elapsed=st.floats(-1e9, 1e9), started=st.booleans())
def test_it_is_always_a_number_of_seconds_from_1_to_60(ada, samples, elapsed, started):
    root = ledger.accept("a", requested_by=ada)
    usual = durations._Usual(samples, samples, durations.monotonic())
    durations._known[("test", ada)] = usual
    seconds = seconds_until_worth_asking(
        replace(
            report_of(root, created_at=NOW, started_at=NOW if started else None),
            read_at=NOW + timedelta(seconds=elapsed),
        )
    )
    assert isinstance(seconds, int)
    assert 1 <= seconds <= 60
