from threading import Event, Semaphore
from time import monotonic
from uuid import uuid4

import pytest

from reports import selectors
from reports.errors import TooManyWaitersError
from reports.models import Status
from services import waiters
from services.waiters import wait_until_final
from tests.unit.reports import ledger
from tests.unit.reports.rush import at_once

pytestmark = pytest.mark.django_db(transaction=True)

LONG = 30.0


def test_who_waits_is_told_when_the_report_is_final():
    root = ledger.accept("a")
    waits = Event()

    def wait():
        waits.set()
        return wait_until_final(root, LONG)

    def run():
        waits.wait()
        ledger.succeed("a")

    begun = monotonic()
    assert at_once(wait, run) == [True, None]
    assert monotonic() - begun < LONG / 2


@pytest.mark.parametrize("end", [ledger.succeed, ledger.fail])
def test_what_is_final_is_not_waited_for(end):
    root = ledger.accept("a")
    end("a")
    assert wait_until_final(root, 0)


def test_who_has_waited_long_enough_is_told_that_it_is_not():
    root = ledger.accept("a")
    begun = monotonic()
    assert not wait_until_final(root, 0.1)
    assert monotonic() - begun >= 0.1


def test_what_does_not_exist_is_not_waited_for():
    begun = monotonic()
    assert not wait_until_final(uuid4(), LONG)
    assert monotonic() - begun < LONG / 2


def test_no_more_wait_than_may(monkeypatch):
    monkeypatch.setattr(waiters, "_room", Semaphore(1))

    def look_while_another_comes(report):
        with pytest.raises(TooManyWaitersError):
            wait_until_final(report, LONG)
        return Status.OK

    monkeypatch.setattr(selectors, "find_status", look_while_another_comes)
    assert wait_until_final(uuid4(), LONG)
    assert wait_until_final(uuid4(), LONG)  # there is room again


def test_who_is_disturbed_leaves_room_for_the_next(monkeypatch):
    monkeypatch.setattr(waiters, "_room", Semaphore(1))
    with monkeypatch.context() as patch:
        patch.setattr(selectors, "find_status", lambda: None)
        with pytest.raises(TypeError):
            wait_until_final(uuid4(), LONG)
    assert not wait_until_final(uuid4(), LONG)
