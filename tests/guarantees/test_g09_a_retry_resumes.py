"""G9: retrying a failed action runs only what is not ok yet."""

from typing import Any
from uuid import UUID

import pytest

from chaos import witness
from tests.guarantees.ground import ProvingGround


def _failed(ground: ProvingGround, canvas: list[Any]) -> UUID:
    """Run an action one task of which loses its process at a gate. Returns its report's id."""
    root = ground.request(canvas)
    ground.await_gate(root)
    ground.stack.worker.kill()
    ground.stack.worker.start()
    ground.settle()
    assert ground.report(root).error.code == "worker_lost"
    return root


def _begun(ground: ProvingGround) -> list[str]:
    """Return the paths below the action's of the tasks that have begun, sorted."""
    begun = (entry.path for entry in witness.entries(ground.key) if entry.event == "begins")
    return sorted(path.removeprefix(f"{ground.key}.0.") for path in begun)


def _gate(ground: ProvingGround) -> list[Any]:
    return ["work", {"gate": ground.gate("gate")}]


def test_only_what_is_not_ok_runs_again(ground: ProvingGround) -> None:
    group = ["group", ["work"], _gate(ground), ["sequence", ["work"], ["work"]]]
    root = _failed(ground, ["sequence", ["work"], group, ["work"]])
    assert _begun(ground) == ["0", "1.0", "1.1", "1.2.0", "1.2.1"]
    ground.resume(root)
    ground.open("gate")
    ground.assert_four_zeros()
    ground.assert_ok(root, 1 + (2 + 2 + 3))
    assert _begun(ground) == ["0", "1.0", "1.1", "1.1", "1.2.0", "1.2.1", "2"]
    assert [error["code"] for error in ground.report(root).errors] == ["worker_lost"]


def test_what_was_handed_out_is_not_handed_out_again(ground: ProvingGround) -> None:
    root = _failed(ground, ["sequence", ["grow", ["group", ["work"], _gate(ground), ["work"]]], ["work"]])
    ground.resume(root)
    ground.open("gate")
    ground.assert_four_zeros()
    ground.assert_ok(root, 4)
    assert _begun(ground) == ["0", "0.0.0", "0.0.1", "0.0.1", "0.0.2", "1"]


def test_a_cancelled_action_goes_on(ground: ProvingGround) -> None:
    root = ground.request(["sequence", ["work"], _gate(ground), ["work"]])
    ground.await_events("begins", 2)
    ground.cancel(root)
    ground.look()
    ground.resume(root)
    # The task in flight has been in flight all the time, and is wanted again.
    ground.open("gate")
    ground.assert_four_zeros()
    ground.assert_ok(root, 3)
    assert _begun(ground) == ["0", "1", "2"]


@pytest.mark.parametrize("dies", ["worker", "web", "valkey"])
def test_whatever_dies_after_a_retry(ground: ProvingGround, dies: str) -> None:
    group = ["group", ["work"], _gate(ground), ["work"]]
    root = _failed(ground, ["sequence", ["work"], group, ["work"]])
    ground.open("gate")
    if dies == "worker":
        ground.stack.worker.kill()
    ground.resume(root)
    service = getattr(ground.stack, dies)
    service.kill()
    service.start()
    ground.assert_four_zeros()
    assert _begun(ground)[:6] == ["0", "1.0", "1.1", "1.1", "1.2", "2"]
    ground.assert_ok(root, 1 + (2 + 2 + 2))


def test_an_action_that_fails_again_and_again_resumes_each_time(ground: ProvingGround) -> None:
    root = ground.request(["sequence", ["work"], ["work", {"fails": True}], ["work"]])
    for _ in range(3):
        ground.settle()
        ground.resume(root)
    ground.assert_four_zeros()
    assert _begun(ground) == ["0", "1", "1", "1", "1"]
    assert [error["code"] for error in ground.report(root).errors] == ["trial_failed"] * 3
