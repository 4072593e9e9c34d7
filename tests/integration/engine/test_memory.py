import re
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from celery import group
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config import celery_app
from reports import selectors
from reports.models import Status
from stack.worker import Worker
from tests.actions import fanouts, journal, outcomes, retries
from tests.integration.engine.engine import Engine

pytestmark = pytest.mark.idle

# Some ten seconds each; `make bench` has ten thousand.
_TASKS = 4_000 if settings.TEST_DATABASE == "sqlite" else 2_000
_PATIENCE = 300  # seconds
_MEGABYTES = 150


def _peaks(worker: Worker) -> dict[int, float]:
    """Return the peak memory of a worker's main process and of its children, in megabytes."""
    process = psutil.Process(worker.pid)
    return {pid: _peak(pid) for pid in (worker.pid, *(child.pid for child in process.children()))}


def _peak(pid: int) -> float:
    [kilobytes] = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(kilobytes) / 1024


@pytest.mark.timeout(2 * _PATIENCE)
def test_thousands_of_tasks_at_once_take_little_memory_and_one_query_to_poll(engine: Engine, settings) -> None:
    settings.RECOVERY_REPUBLISH_AFTER = 30
    worker = engine.add_worker({"RECOVERY_REPUBLISH_AFTER": "30"})  # as in production
    key = uuid4().hex
    root = engine.request(fanouts.spread.s(_TASKS, key), fanouts.add.s(key))
    engine.wait_until(lambda: engine.report(root).tasks_total == _TASKS + 2)

    with CaptureQueriesContext(connection) as queries:
        report = selectors.find(root, owner=None)
    assert len(queries) == 1
    assert report is not None
    assert report.status == Status.RUNNING
    assert report.tasks_ok < report.tasks_total

    engine.settle([root], seconds=_PATIENCE)
    report = engine.report(root)
    assert report.result == sum(number * number for number in range(_TASKS))
    assert report.tasks_ok == _TASKS + 2
    assert journal.lines(key) == [" spreads", f" adds {_TASKS}"]
    peaks = _peaks(worker)
    assert len(peaks) == 3
    assert all(peak < _MEGABYTES for peak in peaks.values()), peaks


@pytest.mark.parametrize("kind", ["failed", "tried again", "duplicate"])
def test_errors_leave_nothing_behind(engine: Engine, kind: str) -> None:
    count = 300
    worker = engine.add_worker(processes=1)
    engine.run(group([outcomes.raise_error.s("plain"), retries.call.s(busy=1, key="warm-up")]))
    before = _peaks(worker)
    if kind == "failed":
        engine.settle([engine.request(outcomes.raise_error.s("plain")) for _ in range(count)])
    elif kind == "tried again":
        engine.run(group([retries.call.s(busy=1, key="busy") for _ in range(count)]))
    else:
        [task] = engine.tasks(engine.run(outcomes.succeed.s()).id)
        for _ in range(count):
            celery_app.send_task(task.task, task_id=str(task.id))
        engine.wait_until(lambda: engine.messages() == [])
    after = _peaks(worker)
    assert after.keys() == before.keys()
    # A quarter of a megabyte for each, where the frames that an error passed are kept.
    assert all(after[pid] - before[pid] < 0.1 * count for pid in before), (before, after)
