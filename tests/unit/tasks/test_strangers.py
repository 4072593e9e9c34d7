"""Messages for tasks that a worker has no code for. With real ones: tests/guarantees/test_rolling_deploy.py."""

from uuid import uuid4

import pytest
from celery.signals import task_unknown

from tasks import strangers
from tests.unit.reports import ledger

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_noted():
    strangers._noted.clear()


def receive(id_, name="strangers.unknown"):
    task_unknown.send(sender=None, message=None, exc=None, id=id_, name=name)


def test_nothing_is_done_while_the_message_is_in_hand(django_assert_num_queries):
    root = ledger.accept("strangers.unknown")
    id_ = ledger.find("strangers.unknown").id
    before = ledger.snapshot()
    with django_assert_num_queries(0):
        receive(str(id_))
    assert ledger.snapshot() == before
    assert not strangers.turn_away()
    assert ledger.find("strangers.unknown").errors[0]["code"] == "unknown_task"
    assert ledger.draw(root) == "pending[strangers.unknown claimable]"


def test_a_batch_at_a_time_is_turned_away(monkeypatch):
    monkeypatch.setattr(strangers, "_BATCH", 2)
    for _ in range(3):
        receive(str(uuid4()))
    assert [strangers.turn_away(), strangers.turn_away(), strangers.turn_away()] == [True, False, False]


@pytest.mark.parametrize("id_", [None, 7, "rubbish", []])
def test_what_is_no_reports_is_not_noted(id_, django_assert_num_queries):
    receive(id_)
    with django_assert_num_queries(0):
        assert not strangers.turn_away()


def test_that_a_task_fails_is_told_to_operators(settings, caplog):
    settings.UNKNOWN_TASK_PATIENCE = 0
    ledger.accept("strangers.unknown")
    id_ = ledger.find("strangers.unknown").id
    for _ in range(2):
        receive(str(id_))
        strangers.turn_away()
    assert caplog.messages == [f"strangers.unknown[{id_}] has failed: no worker that was given it has code for it."]
