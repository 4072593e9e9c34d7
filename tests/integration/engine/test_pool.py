"""The pool forks while the recovery thread is at work."""

import os
import signal
import time
from collections.abc import Sequence

import psutil
import pytest
from celery import group
from django.db import connection

from reports.models import AsyncActionReport, Status
from stack.worker import Worker
from tests.actions import processes
from tests.integration.engine.engine import Engine

pytestmark = pytest.mark.idle

_BUSY = {"RECOVERY_INTERVAL": "0.01", "RECOVERY_HEARTBEAT_INTERVAL": "0.02"}  # seconds


class ShortLivedWorker(Worker):
    """A worker whose children are replaced after every third task."""

    def command(self) -> Sequence[str]:
        return [*super().command(), "--max-tasks-per-child", "3"]


def _assert_recovers(engine: Engine) -> None:
    """See that recovery still publishes what is due."""
    assert engine.run(processes.identify_later.s()).status == Status.OK


def _children(worker: Worker) -> list[int]:
    return [child.pid for child in psutil.Process(worker.pid).children()]


@pytest.mark.timeout(240)
def test_children_that_are_replaced_all_the_time(engine: Engine) -> None:
    worker = engine.add_worker(_BUSY, kind=ShortLivedWorker)
    root = engine.run(group([processes.identify_later.s() for _ in range(40)]), seconds=200)
    assert root.status == Status.OK
    assert len(root.result) == 40
    assert worker.is_running
    assert len({place["process"] for place in root.result}) > 8
    if connection.vendor == "postgresql":
        users: dict[int, set[int]] = {}
        for place in root.result:
            users.setdefault(place["backend"], set()).add(place["process"])
        assert all(len(processes_) == 1 for processes_ in users.values()), users
    _assert_recovers(engine)


@pytest.mark.timeout(240)
def test_children_that_are_killed_all_the_time(engine: Engine) -> None:
    worker = engine.add_worker(_BUSY)
    roots = [engine.request(processes.identify_later.s(), processes.identify_later.si()) for _ in range(60)]
    killed = 0
    while engine.is_busy(roots) and killed < 20:
        for child in _children(worker):
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                continue
            killed += 1
        time.sleep(0.2)
    engine.settle(roots, seconds=200)
    assert worker.is_running
    reports = AsyncActionReport.objects.filter(id__in=roots)
    assert set(reports.values_list("status", "error_code")) <= {("ok", ""), ("failed", "worker_lost")}
    assert reports.filter(status=Status.OK).exists()
    _assert_recovers(engine)
    engine.wait_until(lambda: len(_children(worker)) == 2)
