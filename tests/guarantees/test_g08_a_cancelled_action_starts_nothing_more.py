"""G8: cancellation is a committed fact. Whatever is killed or wiped then, nothing more of the action starts."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reports.models import Status
from tests.guarantees.ground import ProvingGround


def _nothing(ground: ProvingGround) -> None:
    del ground


def _kill_worker(ground: ProvingGround) -> None:
    ground.stack.worker.kill()
    ground.stack.worker.start()


def _kill_all(ground: ProvingGround) -> None:
    for service in (ground.stack.worker, ground.stack.web, ground.stack.broker):
        service.kill()
    ground.stack.start()


def _publish_again(ground: ProvingGround) -> None:
    for root in ground.seen.accepted:
        for task in ground.tasks(root):
            ground.publish(task.id, times=2)


FAULTS: dict[str, Callable[[ProvingGround], None]] = {
    "nothing happens": _nothing,
    "the worker is killed": _kill_worker,
    "everything is killed": _kill_all,
    "the broker is wiped": ProvingGround.wipe_broker,
    "messages come again": _publish_again,
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_nothing_starts_after_a_cancellation_when(
    ground: ProvingGround, fault: Callable[[ProvingGround], None]
) -> None:
    gate = {"gate": ground.gate("first"), "again": True}
    # Two run, four are in the queue, and three wait for others.
    root = ground.request(["sequence", ["group", *[["work", gate]] * 6], ["grow", ["work"]], ["work"]])
    ground.await_events("begins", 2)
    ground.cancel(root)
    ground.look()
    fault(ground)
    ground.open("first")
    ground.assert_four_zeros()
    ground.await_taken()
    assert ground.report(root).status == Status.CANCELLED
    assert ground.count("begins") == 2
    assert {task.status for task in ground.tasks(root)} <= {Status.CANCELLED, Status.OK, Status.FAILED}


def test_what_waits_for_another_try_is_not_tried_again(ground: ProvingGround) -> None:
    root = ground.request(["work", {"flaky": 1}], delay=1)
    ground.cancel(root)
    retried = ground.request(["sequence", ["work", {"flaky": 5, "takes": 0.5}], ["work"]])
    ground.await_events("raises", 1)
    ground.cancel(retried)
    begun = ground.count("begins")
    ground.assert_four_zeros()
    _publish_again(ground)
    ground.await_taken()
    assert ground.count("begins") <= begun + 1  # what was in flight at that moment
    assert {ground.report(root).status, ground.report(retried).status} == {Status.CANCELLED}
    assert ground.tasks_begun().isdisjoint({task.id for task in ground.tasks(root)})


def test_a_task_that_asks_stops(ground: ProvingGround) -> None:
    root = ground.request(["sequence", ["work", {"gate": ground.gate("never"), "asks": True}], ["work"]])
    ground.await_events("begins", 1)
    ground.cancel(root)
    ground.assert_four_zeros()
    assert (ground.count("gives up"), ground.count("ends")) == (1, 0)


@pytest.mark.parametrize("frozen", ["worker", "broker"])
def test_a_cancellation_needs_neither_worker_nor_broker(ground: ProvingGround, frozen: str) -> None:
    root = ground.request(["sequence", ["work", {"takes": 0.5}], ["work"]])
    ground.await_events("begins", 1)
    service: Any = ground.stack.worker if frozen == "worker" else ground.stack.broker
    ground.freeze(service)
    ground.cancel(root)
    assert ground.report(root).status == Status.CANCELLED
    service.resume()
    ground.assert_four_zeros()
    assert ground.count("begins") == 1


def test_what_is_final_cannot_be_cancelled(ground: ProvingGround) -> None:
    root = ground.request(["work"])
    ground.settle()
    with ground.stack.client() as client:
        assert client.post(f"/reports/{root}/cancel").status_code == httpx.codes.CONFLICT
    ground.assert_four_zeros()
    ground.assert_ok(root, 1)
