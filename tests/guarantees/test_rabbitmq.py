"""The promises do not depend on the broker: the tests that are at their core, once more, on RabbitMQ."""

import shutil
from uuid import UUID

import pytest

from reports.models import Status
from stack.rabbitmq import RabbitMQ
from tests.guarantees.ground import ProvingGround
from tests.guarantees.test_g01_accepted_is_durable import (
    test_everything_dies_at_once,
    test_the_broker_is_away_while_clients_ask,
    test_the_broker_is_wiped_before_any_worker_is_there,
    test_the_web_process_dies_between_commit_and_publishing,
)
from tests.guarantees.test_g02_always_final import (
    test_the_broker_is_away_at_a_hand_over,
    test_whatever_dies_again_and_again,
)
from tests.guarantees.test_g03_finished_is_finished import (
    test_a_task_in_flight_loses,
    test_a_worker_dies_between_an_outcome_and_its_hand_over,
    test_messages_come_again_and_in_any_order,
)

__all__ = [
    "test_a_task_in_flight_loses",
    "test_a_worker_dies_between_an_outcome_and_its_hand_over",
    "test_everything_dies_at_once",
    "test_messages_come_again_and_in_any_order",
    "test_the_broker_is_away_at_a_hand_over",
    "test_the_broker_is_away_while_clients_ask",
    "test_the_broker_is_wiped_before_any_worker_is_there",
    "test_the_web_process_dies_between_commit_and_publishing",
    "test_whatever_dies_again_and_again",
]


@pytest.fixture
def rabbit(rabbitmq: RabbitMQ) -> RabbitMQ:
    return rabbitmq


def _request(ground: ProvingGround) -> list[UUID]:
    return [ground.request(["sequence", *[["group", ["work"], ["work"]]] * 4]) for _ in range(6)]


def test_its_queue_is_deleted_again_and_again(ground: ProvingGround) -> None:
    roots = _request(ground)
    for n in range(1, 6):
        ground.await_events("begins", 4 * n)
        ground.wipe_broker()
    ground.assert_four_zeros()
    assert {ground.report(root).status for root in roots} == {Status.OK}


def test_its_queue_is_deleted_at_every_step_of_a_worker_that_connects(ground: ProvingGround) -> None:
    worker = ground.stack.worker.pid
    # So often that it is gone when it was declared, bound, or consumed from, and was not yet made use of.
    for _ in range(300):
        ground.wipe_broker()
    roots = _request(ground)
    ground.assert_four_zeros()
    assert {ground.report(root).status for root in roots} == {Status.OK}
    assert ground.stack.worker.is_running
    assert ground.stack.worker.pid == worker


def test_an_empty_one_takes_its_place(ground: ProvingGround, rabbit: RabbitMQ) -> None:
    roots = _request(ground)
    ground.await_events("begins", 4)
    rabbit.kill()
    shutil.rmtree(rabbit.folder / "data")
    rabbit.start()
    ground.assert_four_zeros()
    assert {ground.report(root).status for root in roots} == {Status.OK}
