"""G6: the next task starts only when the one before it, and everything that one started, is ok."""

from typing import Any
from uuid import UUID

import pytest

from chaos import witness
from chaos.trials import Canvas
from reports.models import AsyncActionReport, Status
from tests.guarantees.ground import ProvingGround

GATE: Canvas = ["work", {"gate": "inner"}]
INNER: dict[str, Canvas] = {
    "a task": GATE,
    "a group": ["group", ["work"], GATE, ["work"]],
    "a chain in a group": ["group", ["work"], ["sequence", ["work"], GATE, ["work"]]],
    "what a task returned": ["grow", ["sequence", ["work"], GATE]],
    "what a task returned that a task returned": ["grow", ["group", ["grow", ["sequence", GATE, ["work"]]], ["work"]]],
    "a task that is tried again": ["sequence", ["work", {"flaky": 1}], GATE],
}


def _with_gates_of(ground: ProvingGround, canvas: Any) -> Any:
    if isinstance(canvas, list):
        return [_with_gates_of(ground, part) for part in canvas]
    return {**canvas, "gate": ground.gate(canvas["gate"])} if isinstance(canvas, dict) and "gate" in canvas else canvas


def _request(ground: ProvingGround, inner: Canvas) -> tuple[UUID, UUID]:
    """Request a canvas and one more task, and wait until only the gate holds it up. Returns the ids of both."""
    root = ground.request(["sequence", _with_gates_of(ground, inner), ["work"]])
    ground.await_gate(root)
    return root, AsyncActionReport.objects.get(arguments__kwargs__path=f"{ground.key}.0.1").id


@pytest.mark.parametrize("inner", INNER.values(), ids=INNER)
def test_the_next_task_waits_for(ground: ProvingGround, inner: Canvas) -> None:
    root, last = _request(ground, inner)
    ground.publish(last, times=5)
    ground.await_taken()
    assert ground.tasks_begun().isdisjoint({last})
    ground.open("inner")
    ground.assert_four_zeros()
    assert ground.report(root).status == Status.OK
    entries = witness.entries(ground.key)
    assert [(entry.task, entry.event) for entry in entries[-2:]] == [(last, "begins"), (last, "ends")]


@pytest.mark.parametrize("inner", INNER.values(), ids=INNER)
def test_the_next_task_does_not_start_when_it_fails(ground: ProvingGround, inner: Canvas) -> None:
    root, last = _request(ground, inner)
    ground.stack.worker.kill()
    ground.stack.worker.start()
    ground.publish(last, times=5)
    ground.assert_four_zeros()
    assert ground.report(root).error.code == "worker_lost"
    assert AsyncActionReport.objects.get(id=last).status == Status.CANCELLED
    assert ground.tasks_begun().isdisjoint({last})
