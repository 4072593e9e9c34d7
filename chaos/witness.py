"""What tasks really did, written by themselves to files of their own: what the ledger says is compared with it.

Every process appends to a file of its own, by one write an entry, so that a process that is killed leaves no half one.
"""

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

from django.conf import settings

# "raises" what is tried again, "fails" for good.
Event = Literal["begins", "ends", "raises", "fails", "gives up"]


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """Something that a task did. ``at`` is in seconds of the machine's clock, ``task`` the id of its report.

    ``process`` is the child of a worker's pool that ran it.
    """

    at: float
    task: UUID
    attempt: int
    event: Event
    path: str
    process: int


def testify(task: str, attempt: int, event: Event, path: str) -> None:
    """Write an entry of this process."""
    # Not time.time(): some tests have processes whose clock is wrong.
    entry = {"at": time.clock_gettime(time.CLOCK_REALTIME), "task": task, "attempt": attempt}
    line = json.dumps({**entry, "event": event, "path": path, "process": os.getpid()})
    _folder().mkdir(parents=True, exist_ok=True)
    file = os.open(_folder() / str(os.getpid()), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, f"{line}\n".encode())
    finally:
        os.close(file)


def entries(path: str = "") -> list[Entry]:
    """Return what all processes wrote, in the order of time, of tasks whose path begins with ``path``."""
    found = (entry for file in _files() for entry in _entries_of(file) if entry.path.startswith(path))
    return sorted(found)


def count(event: Event, path: str = "") -> int:
    """Return how often something happened in tasks whose path begins with ``path``."""
    return sum(entry.event == event for entry in entries(path))


def _files() -> Iterable[Path]:
    return sorted(_folder().iterdir()) if _folder().exists() else ()


def _entries_of(file: Path) -> Iterable[Entry]:
    for line in file.read_text().splitlines():
        entry = json.loads(line)
        yield Entry(**{**entry, "task": UUID(entry["task"])})


def _folder() -> Path:
    return Path(settings.VAR_DIR) / "witness"
