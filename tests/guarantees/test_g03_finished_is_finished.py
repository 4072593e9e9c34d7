"""G3: a task that has been recorded ok never runs again.

One in flight when its worker dies runs again only where it declares retry_on_worker_lost; elsewhere it is failed.
"""

import os
import random
import signal
from typing import Any

import pytest

from chaos.trials import Canvas
from reports.models import Status
from tests.guarantees.ground import ProvingGround


def _under_way(ground: ProvingGround, **deeds: Any) -> Canvas:
    """Return a canvas of which two tasks are finished, one waits at a gate, and one comes after it."""
    gate = {"gate": ground.gate("third"), **deeds}
    return ["sequence", ["work"], ["work"], ["work", gate], ["work"]]


def _kill_child(ground: ProvingGround, task: Any) -> None:
    os.kill(ground.process_of(task.id), signal.SIGKILL)


def _kill_worker(ground: ProvingGround, task: Any) -> None:
    del task
    ground.stack.worker.kill()
    ground.stack.worker.start()


@pytest.mark.parametrize("kill", [_kill_child, _kill_worker], ids=["its process", "its worker"])
@pytest.mark.parametrize("again", [False, True], ids=["undeclared", "declared"])
def test_a_task_in_flight_loses(ground: ProvingGround, kill: Any, again: bool) -> None:
    root = ground.request(_under_way(ground, again=again))
    ground.await_events("begins", 3)
    kill(ground, ground.tasks(root)[2])
    ground.open("third")
    ground.assert_four_zeros()
    if again:
        ground.assert_ok(root, 4)
        assert ground.count("begins") == 5
    else:
        report = ground.report(root)
        assert (report.status, report.error.code, report.error.task) == (Status.FAILED, "worker_lost", "trials.work")
        assert ground.count("begins") == 3


def test_a_worker_dies_between_an_outcome_and_its_hand_over(ground: ProvingGround) -> None:
    root = ground.request(_under_way(ground))
    ground.await_events("begins", 3)
    ground.stack.broker.pause()
    ground.open("third")
    ground.wait_until(lambda: ground.tasks(root)[2].status == Status.OK)
    ground.stack.worker.kill()
    # What the worker has sent already is still in a buffer, and goes with the broker.
    ground.stack.broker.kill()
    ground.stack.broker.start()
    ground.stack.worker.start()
    ground.assert_four_zeros()
    ground.assert_ok(root, 4)
    assert ground.count("begins") == 4


def test_messages_come_again_and_in_any_order(ground: ProvingGround) -> None:
    canvas = ["sequence", ["work"], ["group", ["work", {"takes": 0.1}], ["work", {"flaky": 1}]], ["grow", ["work"]]]
    roots = [ground.request([*canvas, ["work", {"again": True}], ["work", {"fails": n % 2}]]) for n in range(4)]
    shuffle = random.Random(3).shuffle  # noqa: S311  no secret
    for _ in range(5):
        tasks = [task.id for root in roots for task in ground.tasks(root)]
        shuffle(tasks)
        for task in tasks:
            ground.publish(task, times=2)
        ground.look()
    ground.assert_four_zeros()
    assert [ground.report(root).status for root in roots] == [Status.OK, Status.FAILED] * 2
    # Eight reports: six of them begin once, the flaky task twice, and one is a group.
    assert ground.count("begins") == 4 * 8
    assert all(task.attempts == 1 + task.retries for root in roots for task in ground.tasks(root))


def test_what_has_been_handed_out_is_not_handed_out_again(ground: ProvingGround) -> None:
    root = ground.request(["sequence", ["grow", ["group", *[["work"]] * 3]], ["work"]])
    ground.settle()
    ground.publish(root, name="trials.grow")
    for report in ground.rows(root):
        for name in ("trials.grow", "trials.work"):
            ground.publish(report.id, name=name)
    ground.stack.worker.restart()
    ground.assert_four_zeros()
    assert ground.count("begins") == 5
