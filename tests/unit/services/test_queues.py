import pytest
from kombu.exceptions import OperationalError

from reports.handover import Dispatch
from services.dispatch import publish
from services.queues import find_empty
from tests.unit.reports import ledger


@pytest.mark.django_db
def test_queues_that_hold_nothing_or_do_not_exist_are_empty(empty_broker, settings):
    default = settings.TASK_DEFAULT_QUEUE
    assert find_empty([default, "slow"]) == [default, "slow"]
    ledger.accept("a")
    assert publish([Dispatch(ledger.find("a").id, "a", {})])
    assert find_empty([default, "slow"]) == ["slow"]
    assert find_empty([]) == []


def test_of_a_broker_that_is_away_nothing_is_said_and_once_it_is_back_it_is_asked_again(empty_broker):
    assert find_empty(["slow"]) == ["slow"]
    empty_broker.kill()
    for _ in range(3):
        with pytest.raises(OperationalError):
            find_empty(["slow"])
    empty_broker.start()
    assert find_empty(["slow"]) == ["slow"]
