"""Workers say themselves that they are there, and how long a lost one was."""

import time
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings

from reports import workers
from reports.workers import KnownWorker
from tests.actions import journal, progress
from tests.integration.engine.engine import Engine


def _find(name: str) -> KnownWorker | None:
    return next((worker for worker in workers.list_known() if worker.name.startswith(f"{name}@")), None)


def _is_alive(name: str) -> bool:
    worker = _find(name)
    return worker is not None and worker.is_alive


def test_a_worker_shows_up_and_is_gone_when_it_ends(engine: Engine) -> None:
    more = engine.add_worker(processes=3)
    engine.wait_until(lambda: _is_alive(more.name))
    worker = _find(more.name)
    assert worker is not None
    assert (worker.queues, worker.processes) == ([settings.TASK_DEFAULT_QUEUE], 3)
    assert _is_alive(engine.worker.name)
    more.stop()
    assert _find(more.name) is None
    assert _is_alive(engine.worker.name)


@pytest.mark.idle
def test_a_worker_that_comes_to_its_end_takes_from_no_queue(engine: Engine) -> None:
    more = engine.add_worker()
    engine.wait_until(lambda: _is_alive(more.name))
    key = uuid4().hex
    root = engine.request(progress.proceed.s(1, key=key))
    engine.wait_until(lambda: engine.tasks(root)[0].attempts == 1)
    more.ask_to_end()
    engine.wait_until(lambda: (worker := _find(more.name)) is not None and worker.queues == [])
    assert more.is_running
    journal.write(f"{key} after 1")


@pytest.mark.parametrize("happens", ["is killed", "is frozen"])
def test_a_lost_worker_is_known_as_lost(engine: Engine, happens: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "RECOVERY_LEASE", 1.0)
    more = engine.add_worker()
    engine.wait_until(lambda: _is_alive(more.name))
    more.kill() if happens == "is killed" else more.pause()
    engine.wait_until(lambda: not _is_alive(more.name))
    assert _find(more.name) is not None


@pytest.mark.once
def test_a_frozen_worker_has_no_pulse(engine: Engine, tmp_path: Path) -> None:
    pulse = tmp_path / "worker.pulse"
    more = engine.add_worker({"WORKER_PULSE_FILE": str(pulse)})
    engine.wait_until(pulse.exists)
    first = pulse.stat().st_mtime
    engine.wait_until(lambda: pulse.stat().st_mtime > first)
    more.pause()
    last = pulse.stat().st_mtime
    engine.wait_until(lambda: time.time() - last > 3)  # it beats every second
    assert pulse.stat().st_mtime == last
    more.resume()
    engine.wait_until(lambda: pulse.stat().st_mtime > last)
