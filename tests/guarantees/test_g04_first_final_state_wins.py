"""G4: every transition is one guarded update. Late, duplicate or zombie workers change nothing."""

import os
import signal
from typing import Any
from uuid import UUID

import pytest

from chaos import witness
from reports.models import AsyncActionReport, Status
from stack.process import wait_for
from stack.worker import Worker
from tests.guarantees.ground import ProvingGround


def _zombie(ground: ProvingGround, **deeds: Any) -> tuple[UUID, Worker]:
    """Have a task begin, freeze its worker, and wait until another one has taken over. Returns the zombie."""
    root = ground.request(["sequence", ["work", {"gate": ground.gate("first"), **deeds}], ["work"]])
    ground.await_events("begins", 1)
    zombie = ground.stack.worker
    ground.freeze(zombie)
    ground.stack.add_worker()
    return root, zombie


def _snapshot(root: UUID) -> list[dict[str, Any]]:
    return list(AsyncActionReport.objects.filter(root_id=root).order_by("id").values())


def test_a_zombie_changes_nothing_of_what_was_given_up(ground: ProvingGround) -> None:
    root, zombie = _zombie(ground)
    ground.settle()
    before = _snapshot(root)
    assert ground.report(root).error.code == "worker_lost"
    ground.open("first")
    zombie.resume()
    ground.await_events("ends", 1)
    assert wait_for(lambda: "failed too late" in zombie.log_text() or "changes nothing" in zombie.log_text(), 20)
    assert _snapshot(root) == before
    ground.assert_four_zeros()


def test_a_zombie_changes_nothing_of_what_another_has_finished(ground: ProvingGround) -> None:
    root, zombie = _zombie(ground, again=True)
    ground.await_events("begins", 2)
    ground.open("first")
    ground.settle()
    before = _snapshot(root)
    ground.assert_ok(root, 2)
    zombie.resume()
    ground.await_events("ends", 3)
    assert wait_for(lambda: "changes nothing" in zombie.log_text(), 20)
    assert _snapshot(root) == before
    ground.assert_four_zeros()


def test_a_zombie_changes_nothing_of_what_another_is_doing(ground: ProvingGround) -> None:
    root, zombie = _zombie(ground, again=True)
    ground.await_events("begins", 2)
    second = ground.tasks(root)[0]
    zombie_process = witness.entries(ground.key)[0].process
    assert (second.status, second.attempts) == (Status.RUNNING, 2)
    # Only the second attempt waits at the gate: the first one's process is let through alone.
    os.kill(ground.process_of(second.id), signal.SIGSTOP)
    ground.open("first")
    zombie.resume()
    ground.wait_until(lambda: (zombie_process, "ends") in {(e.process, e.event) for e in witness.entries(ground.key)})
    assert wait_for(lambda: "changes nothing" in zombie.log_text(), 20)
    task = ground.tasks(root)[0]
    assert (task.status, task.attempts, task.worker, task.result) == (Status.RUNNING, 2, second.worker, None)
    os.kill(ground.process_of(second.id), signal.SIGCONT)
    ground.assert_four_zeros()
    ground.assert_ok(root, 2)


@pytest.mark.parametrize("deed", ["progress", "asks"])
def test_a_zombie_learns_early_that_it_is_one(ground: ProvingGround, deed: str) -> None:
    root, zombie = _zombie(ground, again=True, **{deed: True})
    ground.await_events("begins", 2)
    zombie.resume()
    # It gives up at the gate; only the second attempt goes through.
    ground.await_events("gives up", 1)
    progress = ground.tasks(root)[0].progress
    ground.open("first")
    ground.assert_four_zeros()
    ground.assert_ok(root, 2)
    assert ground.count("ends") == 2
    assert (progress is None) == (deed == "asks")
    assert "changes nothing" in zombie.log_text()


def test_the_first_of_many_outcomes_stays(ground: ProvingGround) -> None:
    """Freeze and wake two workers in turn, each for longer than the lease, while attempt follows attempt."""
    one, other = ground.stack.worker, ground.stack.add_worker()
    roots = [ground.request(["sequence", ["work", {"takes": 0.3, "again": True}], ["work"]]) for _ in range(6)]
    ground.await_events("begins", 2)
    for worker in (one, other):
        ground.freeze(worker)
        wait_for(lambda: not ground.unfinished(), 4)
        ground.look()
        worker.resume()
    ground.assert_four_zeros()
    assert {ground.report(root).status for root in roots} <= {Status.OK, Status.FAILED}
