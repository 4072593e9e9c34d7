"""G10: messages carry a task name and a report id. Reading them tells no data; writing them starts nothing."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
import redis

from chaos.trials import Canvas
from config import celery_app
from reports.models import Status
from stack.ports import LOCALHOST
from tests.guarantees.ground import ProvingGround

_NUMBER = 918_273_645
CANVAS: Canvas = [
    "sequence",
    ["work", {"counts": _NUMBER}],
    ["group", ["work", {"flaky": 1}], ["grow", ["work", {"progress": True, "takes": 0.1}]]],
    ["work", {"fails": True}],
]


@contextmanager
def _overheard(ground: ProvingGround) -> Iterator[list[str]]:
    """Collect every command that anybody sends to the broker."""
    commands: list[str] = []
    address = {"host": LOCALHOST, "port": ground.stack.valkey.port, "decode_responses": True, "socket_timeout": 10}
    with redis.Redis(**address) as client, client.monitor() as monitor:
        yield commands
        client.echo("that is all")
        while "that is all" not in (command := str(monitor.next_command()["command"])):
            commands.append(command)


def test_whoever_reads_learns_nothing(ground: ProvingGround) -> None:
    with _overheard(ground) as commands:
        root = ground.request(CANVAS)
        ground.assert_four_zeros()
    # The key is in every parameter and in the error's message, the number in parameters and results.
    report = ground.report(root)
    assert (report.error.code, ground.key in report.error.message) == ("trial_failed", True)
    told = "\n".join(commands)
    assert "trials.work" in told
    for secret in (ground.key, str(_NUMBER)):
        for shift in range(3):
            encoded = base64.b64encode(b"x" * shift + secret.encode()).decode()[4:-4]
            assert secret not in told
            assert encoded not in told


def test_whoever_writes_starts_nothing(ground: ProvingGround) -> None:
    gate = ground.gate("first")
    root = ground.request(["sequence", ["work", {"gate": gate}], ["work"], ["work", {"again": True}]])
    ground.await_events("begins", 1)
    running, waiting, last = ground.tasks(root)
    forged = {"path": f"{ground.key}.forged", "deeds": {}}
    for name in ("trials.work", "trials.work_again", "trials.grow", "celery.map", "celery.backend_cleanup", "nobody"):
        for report in (root, running.id, waiting.id, last.id, uuid4(), "rubbish"):
            celery_app.send_task(name, kwargs=forged, task_id=str(report))
    celery_app.control.broadcast("shutdown")
    celery_app.control.revoke(str(running.id), terminate=True)
    ground.open("first")
    ground.assert_four_zeros()
    ground.await_taken()
    ground.assert_ok(root, 3)
    assert ground.count("begins") == 3
    assert ground.stack.worker.is_running


@pytest.mark.parametrize("forged", [{"args": [9], "kwargs": {"path": "x", "deeds": {"counts": 9}}}, {"retries": 9}])
def test_whoever_writes_changes_nothing_of_what_runs(ground: ProvingGround, forged: dict) -> None:
    ground.freeze(ground.stack.worker)
    root = ground.request(["sequence", ["work", {"flaky": 1}], ["work"]])
    ground.wipe_broker()
    celery_app.send_task("trials.work", task_id=str(ground.tasks(root)[0].id), **forged)
    ground.stack.worker.resume()
    ground.assert_four_zeros()
    assert (ground.report(root).status, ground.count("begins")) == (Status.OK, 3)
