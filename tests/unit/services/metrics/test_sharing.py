import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from services.metrics import sharing

ROOT = Path(__file__).resolve().parents[4]
# A process that counts one, then does what it is told by lines: fork a child that counts one and waits; end.
PROGRAM = """
import os, sys, time
from pathlib import Path
from services.metrics import sharing
sharing.share(Path(sys.argv[1]))
from prometheus_client import CollectorRegistry, Counter
counter = Counter("things", "Things.", ["kind"], registry=CollectorRegistry())
counter.labels("one").inc()
print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if not child:
        counter.labels("one").inc()
        print(os.getpid(), flush=True)
        time.sleep(100)
    else:
        os.waitpid(child, 0)
        print("gone", flush=True)
"""

pytestmark = pytest.mark.once


class Member:
    """A process of a family."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n"

    def lose_a_child(self) -> None:
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        os.kill(int(self._process.stdout.readline()), signal.SIGKILL)
        assert self._process.stdout.readline() == "gone\n"

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def start():
    members = []

    def start(folder: Path) -> Member:
        members.append(Member(folder))
        return members[-1]

    yield start
    for member in members:
        member.kill()


def counted(folder: Path) -> float:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))
    return registry.get_sample_value("things_total", {"kind": "one"}) or 0


def test_a_family_counts_together(tmp_path, start):
    family = tmp_path / "web-1"
    start(family)
    start(family)
    assert counted(family) == 2


def test_who_takes_the_place_of_a_killed_process_counts_on_in_its_files(tmp_path, start):
    family = tmp_path / "worker-1"
    parent = start(family)
    for _ in range(5):
        parent.lose_a_child()
    assert counted(family) == 6
    assert len(list(family.glob("*.db"))) == 2


def test_a_member_of_a_family_that_lives_clears_nothing(tmp_path, start):
    family = tmp_path / "web-1"
    first, _ = start(family), start(family)
    first.kill()
    start(family)
    assert counted(family) == 3


def test_the_next_family_begins_at_nothing(tmp_path, start):
    family = tmp_path / "web-1"
    start(family).kill()
    start(family)
    assert counted(family) == 1


def test_what_dead_families_have_left_is_removed_and_nothing_else(tmp_path, start):
    dead, living, own = tmp_path / "web-1", tmp_path / "web-2", tmp_path / "worker-3"
    (tmp_path / "a-file").touch()
    start(dead).kill()
    start(living)
    start(own)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-file", "web-2", "worker-3"]
    assert counted(living) == counted(own) == 1


def test_a_folder_that_cannot_be_written_stops_the_start(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match="Choose another VAR_DIR, or leave METRICS_TOKEN out"):
        sharing.share(tmp_path / "file" / "web-1")
