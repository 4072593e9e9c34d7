"""A new version takes the place of the old one, process by process, while clients ask: docs/deploying.md."""

import os
from collections.abc import Iterator
from uuid import UUID

import pytest

from reports import acceptance
from reports.models import AsyncActionReport, Kind, Status
from reports.plan import ChainNode, TaskNode
from services.dispatch import publish
from stack.process import wait_for
from stack.readiness import answers
from stack.web import Web
from stack.worker import Worker
from tests.guarantees.conftest import ENVIRONMENT
from tests.guarantees.ground import ProvingGround
from tests.guarantees.traffic import Traffic

CANVAS = ["sequence", ["work", {"takes": 0.1}], ["group", ["work"], ["work", {"takes": 0.2}]], ["work"]]
# As long as in production: no worker may lose a task because this machine is busy.
CALM = {"RECOVERY_LEASE": "30"}
NEWER = {**CALM, "ACTION_MODULES": f"{ENVIRONMENT['ACTION_MODULES']},tests.actions.newer"}
_PATIENCE = 60.0  # seconds


@pytest.fixture
def new_web(ground: ProvingGround) -> Iterator[Web]:
    """A web server of the new version, not started yet."""
    web = Web({**ground.stack.environment, **NEWER}, log=ground.stack.logs / "web-new.log")
    web.name = "web-new"
    yield web
    web.kill()


def _replace_web(traffic: Traffic, old: Web, new: Web) -> None:
    """Do as an orchestrator does: once the new one is ready, no more requests come to the old one, and it ends."""
    new.start()
    assert wait_for(lambda: answers(new.port, "/health/serving"), _PATIENCE), new.log_tail()
    traffic.add(new)
    traffic.remove(old)
    old.ask_to_end()
    assert wait_for(lambda: not old.is_running, _PATIENCE), old.log_tail()
    assert old.exit_code == os.EX_OK, old.log_tail()


def _replace_worker(ground: ProvingGround, old: Worker) -> None:
    ground.stack.add_worker(NEWER)
    old.ask_to_end()
    assert wait_for(lambda: not old.is_running, _PATIENCE), old.log_tail()
    assert old.exit_code == os.EX_OK, old.log_tail()


def test_nothing_fails_while_every_process_is_replaced(ground: ProvingGround, new_web: Web) -> None:
    stack = ground.stack
    stack.worker.stop()
    old_workers = [stack.add_worker(CALM) for _ in range(2)]
    with Traffic(ground, CANVAS, [stack.web]) as traffic:
        ground.wait_until(lambda: len(traffic.accepted) > 20)
        _replace_web(traffic, stack.web, new_web)
        newer = _request_newer(ground, new_web)
        ground.wait_until(lambda: _is_refused(newer))
        for worker in old_workers:
            _replace_worker(ground, worker)
        so_far = len(traffic.accepted)
        ground.wait_until(lambda: len(traffic.accepted) > so_far + 20)
    ground.settle()
    assert traffic.refused == []
    assert AsyncActionReport.objects.filter(id__in=traffic.accepted, status=Status.OK).count() == len(traffic.accepted)
    assert not AsyncActionReport.objects.filter(losses__gt=0).exists()
    assert not AsyncActionReport.objects.filter(kind=Kind.TASK, attempts__gt=1).exists()
    ground.assert_ok(newer, "newer")


def _request_newer(ground: ProvingGround, web: Web) -> UUID:
    with ground.client_of(web) as client:
        return UUID(client.post("/actions/newer", json={}).raise_for_status().json()["id"])


def _is_refused(root: UUID) -> bool:
    """Tell whether an old worker has given the task back."""
    [task] = AsyncActionReport.objects.filter(root_id=root, kind=Kind.TASK)
    return [error["code"] for error in task.errors] == ["unknown_task"]


def test_a_task_that_is_gone_fails_and_says_so(ground: ProvingGround) -> None:
    ground.stack.worker.kill()
    ground.stack.add_worker({"UNKNOWN_TASK_PATIENCE": "0.5"})
    plan = ChainNode((TaskNode("gone.work", arguments='{"args": [], "kwargs": {}}'),))
    root, dispatches = acceptance.accept(action="gone", plan=plan, parameters={}, requested_by=None)
    assert publish(dispatches)
    ground.wait_until(lambda: ground.report(root).status == Status.FAILED)
    error = ground.report(root).error
    assert error is not None
    assert (error.code, error.task) == ("unknown_task", "gone.work")
    ground.await_taken()
