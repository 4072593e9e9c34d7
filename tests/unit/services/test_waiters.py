"""Waiting for a report, in threads, with a real Redis that may be away."""

from contextlib import contextmanager
from threading import Thread
from time import monotonic
from uuid import uuid4

import pytest
from django.db import connection

from reports import intervention, selectors
from reports.errors import TooManyWaitersError
from reports.models import AsyncActionReport
from services import announcements, lookout, waiters
from services.lookout import Lookout
from services.waiters import wait_until_final
from stack.process import wait_for
from tests.unit.reports import ledger

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 30.0  # seconds; nobody here waits as long unless something is broken


@pytest.fixture(autouse=True)
def _rarely_rechecked(monkeypatch):
    """Let nobody be told by the database what an announcement should have told."""
    monkeypatch.setattr(lookout, "_RECHECK", 2 * PATIENCE)


@pytest.fixture(autouse=True)
def watch_keeper(monkeypatch):
    """A lookout of the test's own, which ends with it."""
    keeper = Lookout()
    monkeypatch.setattr(waiters, "_lookout", keeper)
    yield keeper
    keeper.close()


@contextmanager
def waiting(*calls):
    """Make calls that wait, each in a thread. Returns their outcomes, in the order in which they come."""
    outcomes = []

    def make(call):
        try:
            outcomes.append(call())
        finally:
            connection.close()

    threads = [Thread(target=make, args=(call,), daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    yield outcomes
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)


def waits_for(keeper, *roots):
    """Wait until as many wait for each of these."""
    assert wait_for(lambda: keeper._watches.keys() >= set(roots), PATIENCE)


def test_what_is_final_needs_no_waiting(valkey):
    root = ledger.accept("a")
    ledger.succeed("a")
    assert wait_until_final(root, PATIENCE)


def test_what_never_was_is_not_final(valkey):
    begun = monotonic()
    assert not wait_until_final(uuid4(), PATIENCE)
    assert monotonic() - begun < PATIENCE / 2


@pytest.mark.parametrize("end", [lambda root: ledger.succeed("a"), lambda root: ledger.fail("a"), intervention.cancel])
def test_who_waits_hears_of_the_end(valkey, watch_keeper, end):
    root = ledger.accept("a")
    with waiting(*[lambda: wait_until_final(root, PATIENCE)] * 3) as outcomes:
        waits_for(watch_keeper, root)
        begun = monotonic()
        end(root)
        assert wait_for(lambda: len(outcomes) == 3, PATIENCE)
        assert monotonic() - begun < PATIENCE / 2
    assert outcomes == [True, True, True]


def test_other_reports_and_changes_are_no_end(valkey, watch_keeper):
    root, other = ledger.accept("a"), ledger.accept("b")
    with waiting(lambda: wait_until_final(root, 1)) as outcomes:
        waits_for(watch_keeper, root)
        ledger.succeed("b")
        ledger.claim("a")
        announcements.announce(root)
    assert outcomes == [False]
    assert selectors.find_status(other) == "ok"


def test_who_has_waited_long_enough_is_let_go(valkey):
    root = ledger.accept("a")
    assert not wait_until_final(root, 0.1)
    assert not wait_until_final(root, 0)


def test_a_report_that_is_purged_is_waited_for_no_longer(valkey, watch_keeper):
    root = ledger.accept("a")
    with waiting(lambda: wait_until_final(root, PATIENCE)) as outcomes:
        waits_for(watch_keeper, root)
        AsyncActionReport.objects.filter(root_id=root).delete()
        announcements.announce(root)
    assert outcomes == [False]


def test_there_are_only_so_many_places(valkey, watch_keeper, settings):
    settings.REQUEST_MAX_WAITERS = 2
    root = ledger.accept("a")
    with waiting(*[lambda: wait_until_final(root, PATIENCE)] * 2) as outcomes:
        assert wait_for(lambda: waiters._requests._taken == 2, PATIENCE)
        with pytest.raises(TooManyWaitersError):
            wait_until_final(root, PATIENCE)
        waits_for(watch_keeper, root)
        ledger.succeed("a")
    assert outcomes == [True] * 2
    assert wait_until_final(root, PATIENCE)


def test_a_stream_takes_one_of_the_places_and_of_its_own(settings):
    settings.REQUEST_MAX_WAITERS, settings.EVENTS_MAX_CLIENTS = 2, 1
    waiters.take_stream()
    with pytest.raises(TooManyWaitersError):
        waiters.take_stream()
    assert waiters._requests._taken == 1
    waiters.leave_stream()
    settings.REQUEST_MAX_WAITERS = 0
    with pytest.raises(TooManyWaitersError):
        waiters.take_stream()
    assert (waiters._requests._taken, waiters._streams._taken) == (0, 0)


def test_an_announcement_that_is_lost_delays_nobody_for_long(valkey, watch_keeper, monkeypatch):
    monkeypatch.setattr(lookout, "_RECHECK", 0.3)
    monkeypatch.setattr(announcements, "_away_until", monotonic() + 2 * PATIENCE)  # says nothing
    root = ledger.accept("a")
    with waiting(lambda: wait_until_final(root, PATIENCE)) as outcomes:
        waits_for(watch_keeper, root)
        ledger.succeed("a")
        assert wait_for(lambda: outcomes == [True], PATIENCE / 2)


def test_without_redis_the_database_is_asked(valkey, watch_keeper, monkeypatch):
    monkeypatch.setattr(lookout, "_RECHECK_ALONE", 0.3)
    valkey.kill()
    root = ledger.accept("a")
    with waiting(lambda: wait_until_final(root, PATIENCE)) as outcomes:
        waits_for(watch_keeper, root)
        ledger.succeed("a")
        assert wait_for(lambda: outcomes == [True], PATIENCE / 2)


def test_a_redis_that_comes_back_is_heard_again(valkey, watch_keeper, monkeypatch):
    monkeypatch.setattr(lookout, "_RECHECK_ALONE", 0.3)
    first, second = ledger.accept("a"), ledger.accept("b")
    with waiting(lambda: wait_until_final(first, PATIENCE), lambda: wait_until_final(second, PATIENCE)) as outcomes:
        waits_for(watch_keeper, first, second)
        valkey.kill()
        ledger.succeed("a")
        assert wait_for(lambda: len(outcomes) == 1, PATIENCE / 2)
        valkey.start()
        monkeypatch.setattr(announcements, "_away_until", 0.0)
        assert wait_for(lambda: watch_keeper._subscription is not None, PATIENCE)
        ledger.succeed("b")
        assert wait_for(lambda: len(outcomes) == 2, PATIENCE / 2)


def test_many_who_wait_cost_one_connection_to_redis_and_one_question_at_a_time(valkey, watch_keeper, monkeypatch):
    monkeypatch.setattr(lookout, "_RECHECK", 0.2)
    asked = []
    find = selectors.find_outlines
    monkeypatch.setattr(selectors, "find_outlines", lambda ids: asked.append(len(ids)) or find(ids))
    roots = [ledger.accept("a") for _ in range(20)]
    with waiting(*[lambda root=root: wait_until_final(root, PATIENCE) for root in roots]):
        waits_for(watch_keeper, *roots)
        assert wait_for(lambda: 20 in asked, PATIENCE)
        assert announcements._client().pubsub_numsub(announcements._CHANNEL)[0][1] == 1
        for root in roots:
            intervention.cancel(root)


def test_nobody_is_kept_when_the_process_ends(valkey, watch_keeper):
    root = ledger.accept("a")
    with waiting(lambda: wait_until_final(root, PATIENCE)) as outcomes:
        waits_for(watch_keeper, root)
        waiters.dismiss()
    assert outcomes == [False]
    assert not wait_until_final(root, PATIENCE)


def test_the_lookout_ends_when_nobody_waits_and_begins_again(valkey, watch_keeper, monkeypatch):
    monkeypatch.setattr(lookout, "_IDLE", 0.2)
    assert not wait_until_final(ledger.accept("a"), 0)
    assert wait_for(lambda: watch_keeper._thread is None, PATIENCE)
    root = ledger.accept("b")
    with waiting(lambda: wait_until_final(root, PATIENCE)) as outcomes:
        waits_for(watch_keeper, root)
        ledger.succeed("b")
    assert outcomes == [True]


def test_a_lookout_that_stumbles_goes_on(valkey, watch_keeper, monkeypatch):
    monkeypatch.setattr(lookout, "_RECHECK_ALONE", 0.1)
    find, failures = selectors.find_outlines, [RuntimeError("once"), None]
    failing = iter(failures)

    def find_or_fail(ids):
        if error := next(failing, None):
            raise error
        return find(ids)

    monkeypatch.setattr(selectors, "find_outlines", find_or_fail)
    monkeypatch.setattr(lookout, "_RECHECK", 0.2)
    root = ledger.accept("a")
    with waiting(lambda: wait_until_final(root, PATIENCE)) as outcomes:
        waits_for(watch_keeper, root)
        ledger.succeed("a")
    assert outcomes == [True]
