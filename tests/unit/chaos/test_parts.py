import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from chaos.crew import Crew
from chaos.parts import Part
from chaos.watch import Watch
from stack.process import Service, wait_for

_PATIENCE = 20.0


class Sleeper(Service):
    description = "a program of a test"
    name = "sleeper"

    def command(self) -> Sequence[str]:
        return [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]

    def is_ready(self) -> bool:
        return "up" in self.log_text()

    def is_frozen(self) -> bool:
        return psutil.Process(self.pid).status() == psutil.STATUS_STOPPED


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Sleeper]:
    with Sleeper(tmp_path / "log") as sleeper:
        yield sleeper


@pytest.fixture
def watch() -> Watch:
    return Watch(["sleeper"])


@pytest.fixture
def part(sleeper: Sleeper, watch: Watch) -> Iterator[Part]:
    """A part that is kept; it is there."""
    part = Part(sleeper, watch)
    with Crew() as crew:
        crew.add(part.keep)
        yield part
        crew.end()


def test_it_is_back_after_a_kill(part: Part, sleeper: Sleeper, watch: Watch) -> None:
    first, begun = sleeper.pid, time.monotonic()
    assert part.kill(0.5)
    assert not sleeper.is_running
    assert not part.is_there
    assert not part.kill(0)
    assert wait_for(lambda: part.is_ready, _PATIENCE)
    back = time.monotonic()
    assert sleeper.pid != first
    assert back - begun >= 0.5
    assert watch.longest_calm(begun, back) < 0.2
    assert part.ended_by_itself == 0


def test_it_is_back_after_it_has_ended_by_itself(part: Part, sleeper: Sleeper) -> None:
    first = sleeper.pid
    psutil.Process(first).kill()
    assert wait_for(lambda: sleeper.pid != first and part.is_ready, _PATIENCE)
    assert part.ended_by_itself == 1


def test_it_wakes_after_a_freeze(part: Part, sleeper: Sleeper, watch: Watch) -> None:
    begun = time.monotonic()
    assert part.freeze(0.3)
    assert not part.is_there
    assert not part.kill(0)
    assert wait_for(sleeper.is_frozen, _PATIENCE)
    assert wait_for(lambda: part.is_there, _PATIENCE)
    assert not sleeper.is_frozen()
    assert watch.longest_calm(begun, time.monotonic()) < 0.3


def test_it_is_not_left_frozen(sleeper: Sleeper, watch: Watch) -> None:
    part = Part(sleeper, watch)
    with Crew() as crew:
        crew.add(part.keep)
        part.freeze(3600)
        crew.end()
    assert not sleeper.is_frozen()
