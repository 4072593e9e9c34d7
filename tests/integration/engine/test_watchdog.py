"""A worker that runs and cannot be trusted ends itself; another one takes over what it leaves."""

import os
import re
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils.timezone import now

from reports.acceptance import Timing
from reports.models import Status
from tests.actions import journal, processes, progress, silence
from tests.counted import COUNTED
from tests.integration.engine.engine import ENVIRONMENT, Engine

pytestmark = [pytest.mark.once, pytest.mark.idle]  # it is the same worker on either database

_IMPATIENT = {
    **COUNTED,
    "ACTION_MODULES": f"{ENVIRONMENT['ACTION_MODULES']},tests.actions.silence",
    "WORKER_SILENCE_MAX": "8",  # longer than Celery's third wait for a broker that is away, which is 6
    "OUTCOME_PATIENCE": "2",
}


@pytest.fixture(autouse=True)
def _shut_gates():
    yield
    for part in silence.PARTS:
        silence.gate_of(part).unlink(missing_ok=True)


@pytest.mark.parametrize("part", silence.PARTS)
def test_a_worker_a_part_of_which_is_silent_ends_itself(engine: Engine, part: str, tmp_path: Path) -> None:
    pulse = tmp_path / "worker.pulse"
    worker = engine.add_worker({**_IMPATIENT, "FALLS_SILENT": part, "WORKER_PULSE_FILE": str(pulse)})
    assert engine.run(processes.identify.s()).status == Status.OK
    silence.gate_of(part).touch()
    engine.wait_until(lambda: silence.FELL_SILENT in worker.log_text())
    # More than one: the consumer may have asked the broker for the first before it fell silent.
    roots = [engine.request(processes.identify.s()) for _ in range(3)]
    engine.wait_until(lambda: not worker.is_running)
    assert worker.exit_code == os.EX_SOFTWARE
    if part == "event loop":  # the others may end at once
        assert time.time() - pulse.stat().st_mtime > int(_IMPATIENT["OUTCOME_PATIENCE"])
    assert re.search(f"No sign of life for 8 seconds from .*{part}", worker.log_text())
    engine.add_worker()
    engine.settle(roots)
    assert {engine.report(root).status for root in roots} == {Status.OK}


def test_it_finishes_what_it_has_in_hand(engine: Engine) -> None:
    key = uuid4().hex
    worker = engine.add_worker({**_IMPATIENT, "FALLS_SILENT": "recovery"})
    root = engine.request(progress.proceed.s(1, key=key))
    engine.wait_until(lambda: engine.tasks(root)[0].status == Status.RUNNING)
    silence.gate_of("recovery").touch()
    engine.wait_until(lambda: "This worker ends itself" in worker.log_text())
    journal.write(f"{key} after 1")
    engine.wait_until(lambda: not worker.is_running)
    assert worker.exit_code == os.EX_SOFTWARE
    assert (engine.report(root).status, engine.tasks(root)[0].attempts) == (Status.OK, 1)


@pytest.mark.parametrize("happens", ["nothing", "the broker is away", "the worker is frozen"])
def test_a_worker_that_has_a_reason_to_be_silent_is_trusted(engine: Engine, happens: str) -> None:
    worker = engine.add_worker(_IMPATIENT)
    long = timedelta(seconds=1 + int(_IMPATIENT["WORKER_SILENCE_MAX"]))
    later = engine.request(processes.identify.s(), timing=Timing(not_before=now() + long))
    if happens == "the broker is away":
        engine.valkey.kill()
    elif happens == "the worker is frozen":
        worker.pause()
    engine.wait_until(lambda: engine.tasks(later)[0].not_before < now())
    if happens == "the broker is away":
        engine.valkey.start()
    worker.resume()
    engine.settle([later])
    assert worker.is_running
    assert "No sign of life" not in worker.log_text()
