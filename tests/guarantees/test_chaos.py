"""`make chaos`, as a person runs it: a short run, and one that is interrupted."""

import json
import signal
import subprocess
import sys

import psutil
import pytest

from stack.configuration import ROOT
from stack.process import wait_for

pytestmark = [pytest.mark.once, pytest.mark.timeout(300)]

_KEYS = [
    *("accepted", "ok", "failed", "cancelled", "lost", "unfinished", "run_twice", "overwritten", "kills"),
    *("recovery_p50_s", "recovery_p95_s", "recovery_max_s"),
]


def test_a_short_run_ends_with_figures_and_four_zeros() -> None:
    command = ["make", "--no-print-directory", "chaos", "SECONDS_TO_RUN=12", "SEED=7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert list(figures) == _KEYS
    assert figures["accepted"] == figures["ok"] + figures["failed"] + figures["cancelled"] > 0
    assert [figures[zero] for zero in ("lost", "unfinished", "run_twice", "overwritten")] == [0] * 4
    assert figures["kills"] > 5
    assert 0 < figures["recovery_p50_s"] <= figures["recovery_p95_s"] <= figures["recovery_max_s"]


def test_ctrl_c_leaves_nothing_behind(monkeypatch, settings) -> None:
    folder = settings.TEST_FOLDER / "interrupted"  # one that PostgreSQL's user gets to
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    run = subprocess.Popen([sys.executable, "-m", "chaos"], cwd=ROOT, stdout=subprocess.PIPE)
    assert wait_for(lambda: len(_below(run)) > 12, 100)
    started = _below(run)
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 130, output
    assert wait_for(lambda: not any(process.is_running() for process in started), 20)
    assert not list(folder.iterdir())


def _below(run: subprocess.Popen) -> set[psutil.Process]:
    """Return every process that a run has started, however far down."""
    return set(psutil.Process(run.pid).children(recursive=True))
