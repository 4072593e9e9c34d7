import time
from uuid import uuid4

import pytest
import redis
from celery import group

from reports.models import Status
from stack.ports import LOCALHOST
from stack.valkey import Valkey
from tests.actions import journal, limits, outcomes
from tests.actions.canvases import signature_of
from tests.integration.engine.engine import Engine

# Seconds within which a request has to be answered. A broker may be silent for three before it is given up.
_BOUND = 10


@pytest.fixture
def key() -> str:
    return uuid4().hex


@pytest.fixture(params=["refuses", "is silent"])
def outage(request: pytest.FixtureRequest, valkey: Valkey) -> "Outage":
    return Outage(valkey, request.param)


class Outage:
    """A broker that refuses connections, or takes them and never answers."""

    def __init__(self, valkey: Valkey, how: str) -> None:
        self._begin, self._end = {"refuses": (valkey.kill, valkey.start), "is silent": (valkey.pause, valkey.resume)}[
            how
        ]

    def __enter__(self) -> None:
        self._begin()

    def __exit__(self, *_: object) -> None:
        self._end()


def test_actions_are_accepted_while_the_broker_is_away_and_run_later(engine: Engine, outage: Outage, key: str) -> None:
    with outage:
        asked = time.monotonic()
        roots = [engine.request(signature_of(["work"], f"{key}.{n}"), outcomes.succeed.s()) for n in range(20)]
        assert time.monotonic() - asked < _BOUND  # for all: those after the first do not wait each
        assert {engine.report(root).status for root in roots} == {Status.PENDING}
        assert journal.lines(key) == []
    engine.settle(roots)
    assert {engine.report(root).status for root in roots} == {Status.OK}
    assert journal.counts(key) == {f".{n} ok": 1 for n in range(20)}


def test_an_action_goes_on_when_the_broker_was_away_at_a_hand_over(engine: Engine, outage: Outage, key: str) -> None:
    root = engine.request(limits.sleep.s(1, key=key), group([signature_of(["work"], f"{key}.{n}") for n in range(3)]))
    engine.wait_until(lambda: journal.lines(key) == [" begins"])
    with outage:
        engine.wait_until(lambda: engine.tasks(root)[0].status == Status.OK)
        time.sleep(1)
        assert journal.counts(key) == {" begins": 1, " ends": 1}
    engine.settle([root])
    assert engine.report(root).status == Status.OK
    assert journal.counts(key) == {" begins": 1, " ends": 1} | {f".{number} ok": 1 for number in range(3)}


@pytest.mark.idle
def test_a_broker_that_lost_everything_holds_nothing_up(engine: Engine, key: str, settings) -> None:
    settings.RECOVERY_REPUBLISH_AFTER = 1000
    roots = [engine.request(signature_of(["work"], f"{key}.{number}")) for number in range(10)]
    assert len(engine.messages()) == 10
    with redis.Redis.from_url(engine.valkey.url()) as client:
        client.flushall()
    engine.add_worker({"RECOVERY_REPUBLISH_AFTER": "1000"})
    engine.settle(roots)
    assert journal.counts(key) == {f".{number} ok": 1 for number in range(10)}


@pytest.mark.idle
def test_a_broker_that_loses_everything_under_a_worker_holds_nothing_up(engine: Engine, key: str, settings) -> None:
    settings.RECOVERY_REPUBLISH_AFTER = 1000
    engine.add_worker({"RECOVERY_REPUBLISH_AFTER": "1000"})
    root = engine.request(group([limits.sleep.s(1, key=f"{key}.{n}") for n in range(8)]), outcomes.succeed.s())
    engine.wait_until(lambda: len(journal.lines(key)) >= 2)
    with redis.Redis.from_url(engine.valkey.url()) as client:
        client.flushall()
    engine.settle([root])
    assert engine.report(root).status == Status.OK
    assert journal.counts(key) == {f".{n} {what}": 1 for n in range(8) for what in ("begins", "ends")}


@pytest.mark.idle
def test_a_broker_that_is_started_again_has_its_messages(engine: Engine, key: str, settings) -> None:
    settings.RECOVERY_REPUBLISH_AFTER = 1000
    root = engine.request(group([signature_of(["work"], f"{key}.{n}") for n in range(5)]))
    engine.valkey.restart()
    assert len(engine.messages()) == 5
    engine.start()
    engine.settle([root])
    assert journal.counts(key) == {f".{n} ok": 1 for n in range(5)}


def test_a_broker_that_refuses_to_give_messages_ends_no_worker(engine: Engine, key: str) -> None:
    worker = engine.worker.pid
    with redis.Redis.from_url(engine.valkey.url()) as client:
        client.replicaof(LOCALHOST, 1)  # what a failover leaves for a while: a replica, which may not be written to
        try:
            root = engine.request(signature_of(["work"], key))
            engine.wait_until(lambda: "Connection to broker lost" in engine.worker.log_text())
        finally:
            client.replicaof("NO", "ONE")
    engine.settle([root])
    assert engine.report(root).status == Status.OK
    assert engine.worker.is_running
    assert engine.worker.pid == worker
