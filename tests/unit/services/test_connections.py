from contextlib import suppress
from threading import Barrier, Thread

import pytest
from django.conf import settings
from django.db import connection, connections, transaction

from config.postgres import base
from services.connections import Lender

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 30


def in_thread(act):
    """Run something in a thread of its own, which has no connection yet. Returns what it returned."""
    outcome = []
    thread = Thread(target=lambda: outcome.append(act()))
    thread.start()
    thread.join(PATIENCE)
    return outcome[0]


def ask():
    """Ask the database through the thread's connection. Returns which one that is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return connections["default"]


@pytest.fixture
def lender():
    lender = Lender(2)
    yield lender
    for idle in lender._idle:
        idle.close()


def ask_with_a_loan(lender):
    with lender.lent():
        return ask()


def test_threads_one_after_another_have_the_same_connection(lender):
    first = in_thread(lambda: ask_with_a_loan(lender))
    assert in_thread(lambda: ask_with_a_loan(lender)) is first
    assert first.connection is not None  # it stays open


def test_no_more_are_lent_than_there_may_be_and_nobody_goes_without(lender):
    seen, most, now = set(), [], []

    def work():
        with lender.lent():
            now.append(1)
            most.append(len(now))
            seen.add(ask())
            now.pop()

    threads = [Thread(target=lambda: [work() for _ in range(20)]) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(most) == 200
    assert max(most) <= 2
    assert len(seen) <= 2


def test_a_loan_within_a_loan_is_the_same_one(lender):
    def nested():
        with lender.lent():
            outer = ask()
            with lender.lent():
                inner = ask()
            return outer is inner is ask()

    assert in_thread(nested)


def test_after_a_loan_the_thread_has_none(lender):
    def ask_afterwards():
        with lender.lent():
            lent = ask()
        left = [*connections.all(initialized_only=True)]
        return lent, left

    lent, left = in_thread(ask_afterwards)
    assert lent not in left


def test_an_error_does_not_keep_a_connection(lender):
    def fail():
        with suppress(ZeroDivisionError), lender.lent():
            1 / 0  # noqa: B018
        return ask_with_a_loan(lender)

    for _ in range(3):
        assert in_thread(fail)


def test_one_that_is_given_back_is_there_for_others(lender):
    together = Barrier(4)

    def wait_without():
        with lender.lent():
            before = ask()
            with lender.given_back():
                together.wait(PATIENCE)  # all four at once, though two may have a connection
            ask()
            return before

    outcomes = []
    threads = [Thread(target=lambda: outcomes.append(wait_without())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(outcomes) == 4
    assert len(set(outcomes)) <= 2


def test_in_a_transaction_the_connection_is_kept(lender):
    def wait_within():
        with lender.lent(), transaction.atomic():
            before = ask()
            with lender.given_back():
                return ask() is before

    assert in_thread(wait_within)


def test_who_has_no_loan_gives_nothing_back(lender):
    def wait_without_a_loan():
        own = ask()
        with lender.given_back():
            same = ask() is own
        own.close()
        return same

    assert in_thread(wait_without_a_loan)


@pytest.mark.skipif(settings.TEST_DATABASE == "sqlite", reason="a connection to a file is not lost")
def test_a_connection_that_was_lost_is_replaced_before_it_is_used(lender, monkeypatch):
    monkeypatch.setattr(base, "_TRUSTED", 0.0)  # it has answered less than a second ago
    lost = in_thread(lambda: ask_with_a_loan(lender))
    lost.connection.close()  # as a server that was restarted does
    assert in_thread(lambda: ask_with_a_loan(lender)) is lost
    assert lost.is_usable()
