"""Clocks of machines differ and jump. Only the database's counts, so nothing is rescued early, late or twice for it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from reports.models import Status
from stack.web import Web
from tests.guarantees.ground import ProvingGround

_DAY = 24 * 3600


@pytest.mark.parametrize("shift", [-_DAY, _DAY], ids=["slow", "fast"])
def test_a_worker_whose_clock_is_wrong_keeps_every_promise(ground: ProvingGround, shift: int) -> None:
    ground.stack.worker.kill()
    wrong = ground.stack.add_worker({"CLOCK_SHIFT": str(shift)})
    held = ground.request(["sequence", ["work", {"gate": ground.gate("first")}], ["work"]])
    ground.await_events("begins", 1)
    # The worker whose clock is right does not think the other one dead, nor the other way round.
    ground.stack.worker.start()
    other = ground.request(["sequence", ["work", {"gate": ground.gate("first")}], ["work"]])
    retried = ground.request(["sequence", ["work", {"flaky": 2}], ["work"]])
    later = ground.request(["work"], delay=2)
    far = ground.request(["work"], delay=3600)
    expired = ground.request(["work"], delay=3600, expires_in=3601)
    ground.settle([retried, later])
    assert {ground.report(root).status for root in (far, expired)} == {Status.PENDING}
    assert all(task.attempts == 1 for root in (held, other) for task in ground.tasks(root)[:1])
    ran = ground.tasks(later)[0]
    assert ran.started_at - ran.created_at >= timedelta(seconds=2)
    assert abs(ran.started_at - datetime.now(UTC)) < timedelta(minutes=2)
    for root in (far, expired):
        ground.cancel(root)
    ground.open("first")
    ground.assert_four_zeros()
    for root in (held, other, retried):
        ground.assert_ok(root, 2)
    # Its clock is wrong indeed: it writes to its log by it.
    assert (datetime.now(UTC) + timedelta(seconds=shift)).strftime("%Y-%m-%dT") in wrong.log_text()


@pytest.mark.parametrize("shift", [-_DAY, _DAY], ids=["slow", "fast"])
def test_a_worker_whose_clock_is_wrong_rescues_in_time(ground: ProvingGround, shift: int) -> None:
    root = ground.request(["sequence", ["work", {"again": True, "takes": 0.5}], ["work"]])
    ground.await_events("begins", 1)
    ground.stack.worker.kill()
    ground.stack.add_worker({"CLOCK_SHIFT": str(shift)})
    ground.assert_four_zeros()
    ground.assert_ok(root, 2)
    first, second = (entry.at for entry in ground.begun(ground.tasks(root)[0].id))
    assert 2 < second - first < 20  # the lease is 3


def test_a_web_server_whose_clock_is_wrong_schedules_by_the_databases(ground: ProvingGround) -> None:
    environment = {**ground.stack.environment, "CLOCK_SHIFT": str(_DAY)}
    with Web(environment, log=ground.stack.logs / "fast.log") as fast, ground.client_of(fast) as client:
        answer = client.post(
            "/actions/trial", json={"canvas": ["work"], "path": f"{ground.key}.x"}, params={"delay": 2}
        ).raise_for_status()
        too_late = {"run_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
        refused = client.post("/actions/trial", json={"canvas": ["work"], "path": "x"}, params=too_late)
    assert refused.status_code == httpx.codes.BAD_REQUEST
    ground.assert_four_zeros()
    report = ground.report(UUID(answer.json()["id"]))
    assert timedelta(seconds=2) <= report.started_at - report.created_at < timedelta(seconds=20)
