from datetime import UTC, datetime, timedelta

import pytest

from reports import workers
from reports.models import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _lease(settings):
    settings.RECOVERY_LEASE = 30.0


def show_up(name="one", *, queues=("default",), processes=4, ago=0.0):
    workers.show_up(name, queues=queues, processes=processes)
    if ago:
        heard_of = datetime.now(UTC) - timedelta(seconds=ago)
        Worker.objects.filter(name=name).update(heartbeat_at=heard_of)


def names():
    return [worker.name for worker in workers.list_known()]


def test_who_shows_up_is_known_with_what_it_takes():
    show_up("two", queues=["slow", "fast"], processes=2)
    show_up("one")
    one, two = workers.list_known()
    assert (one.name, one.queues, one.processes) == ("one", ["default"], 4)
    assert (two.name, two.queues, two.processes) == ("two", ["slow", "fast"], 2)
    assert one.silent_for == pytest.approx(0, abs=5)


def test_who_shows_up_again_has_one_row_that_says_how_it_is_now():
    show_up(ago=100)
    started_at = Worker.objects.get().started_at
    show_up(queues=[], processes=1)
    (one,) = workers.list_known()
    assert (one.queues, one.processes, one.is_alive) == ([], 1, True)
    assert Worker.objects.get().started_at == started_at


@pytest.mark.parametrize(("ago", "alive"), [(0, True), (25, True), (35, False)])
def test_alive_is_who_was_heard_of_within_a_lease(ago, alive):
    show_up(ago=ago)
    (one,) = workers.list_known()
    assert one.silent_for == pytest.approx(ago, abs=4)
    assert (one.is_alive, workers.is_any_alive()) == (alive, alive)


def test_one_that_is_alive_is_enough_for_recovery():
    assert not workers.is_any_alive()
    show_up("lost", ago=1000)
    show_up("alive")
    assert workers.is_any_alive()


def test_who_leaves_is_known_no_more():
    show_up("one")
    show_up("two")
    workers.leave("one")
    workers.leave("nobody")
    assert names() == ["two"]


def test_who_was_lost_long_ago_is_forgotten():
    show_up("alive")
    show_up("lost", ago=50)
    show_up("lost long ago", ago=70)
    workers.forget_lost(60)
    assert names() == ["alive", "lost"]
