import os
from time import monotonic
from uuid import uuid4

import pytest
from django.db import transaction
from redis import Redis, RedisError

from reports import intervention
from services import announcements
from services.announcements import Subscription, announce
from tasks.progress import Progress
from tests.unit.reports import ledger

SOON = 5


def heard(subscription, seconds=SOON):
    """Return what is announced next."""
    end = monotonic() + seconds
    while monotonic() < end:
        if changed := subscription.heard(0.1):
            return changed
    return set()


@pytest.fixture
def subscription(valkey):
    subscription = Subscription()
    yield subscription
    subscription.close()


def test_what_is_announced_is_heard_by_all(subscription):
    other = Subscription()
    root = uuid4()
    announce(root)
    assert heard(subscription) == heard(other) == {root}
    other.close()


def test_what_was_announced_before_is_not_heard(valkey):
    announce(uuid4())
    subscription = Subscription()
    assert heard(subscription, 0.3) == set()
    subscription.close()


def test_what_others_write_there_is_passed_over(subscription, settings):
    root = uuid4()
    with Redis.from_url(settings.REDIS_URL) as client:
        client.publish(announcements._CHANNEL, "nonsense")
    announce(root)
    assert heard(subscription) == {root}


@pytest.mark.django_db(transaction=True)
def test_the_end_of_an_action_is_announced_after_its_commit(subscription):
    first, second = ledger.accept("a"), ledger.accept("b")
    with transaction.atomic():
        ledger.succeed("a")
        assert heard(subscription, 0.3) == set()
    assert heard(subscription) == {first}
    intervention.cancel(second)
    assert heard(subscription) == {second}


@pytest.mark.django_db(transaction=True)
def test_an_end_that_is_undone_is_not_announced(subscription):
    ledger.accept("a")
    with transaction.atomic():
        ledger.succeed("a")
        transaction.set_rollback(True)
    assert heard(subscription, 0.3) == set()


@pytest.mark.django_db(transaction=True)
def test_where_redis_is_away_nothing_is_lost_and_little_time(valkey, caplog):
    valkey.kill()
    begun = monotonic()
    for name in "abc":
        root = ledger.accept(name)
        ledger.succeed(name)
        assert ledger.draw(root) == f"ok[{name} ok]"
    assert monotonic() - begun < 3
    [said] = [line for line in caplog.messages if line.startswith("Could not announce")]
    assert "has changed" in said


@pytest.mark.django_db(transaction=True)
def test_where_redis_does_not_answer_little_time_is_lost(valkey):
    announce(uuid4())
    valkey.pause()
    begun = monotonic()
    for name in "abc":
        ledger.accept(name)
        ledger.succeed(name)
    assert monotonic() - begun < 3


def test_once_it_is_back_and_a_while_has_passed_it_is_told_again(valkey, monkeypatch):
    valkey.kill()
    announce(uuid4())
    valkey.start()
    subscription = Subscription()
    announce(uuid4())
    assert heard(subscription, 0.3) == set()
    monkeypatch.setattr(announcements, "monotonic", lambda: monotonic() + 10)
    root = uuid4()
    announce(root)
    assert heard(subscription) == {root}
    subscription.close()


def test_a_subscription_that_is_lost_says_so(valkey):
    subscription = Subscription()
    valkey.kill()
    with pytest.raises(RedisError):
        heard(subscription)
    with pytest.raises(RedisError):
        Subscription()


def test_a_process_that_was_forked_announces_over_a_connection_of_its_own(subscription):
    announce(uuid4())
    assert heard(subscription)
    root = uuid4()
    child = os.fork()
    if child == 0:
        announce(root)
        os._exit(0)
    os.waitpid(child, 0)
    assert heard(subscription) == {root}
    other = uuid4()
    announce(other)
    assert heard(subscription) == {other}


@pytest.mark.django_db(transaction=True)
def test_progress_is_announced_for_the_whole_action(subscription):
    root = ledger.accept("a")
    Progress().report(ledger.claim("a"), current=1, total=2, message="")
    assert heard(subscription) == {root}
