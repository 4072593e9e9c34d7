"""Gates that tasks wait at, so that a test decides how long they are under way. A gate is a file; there, it is open."""

import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

_PATIENCE = 110.0  # seconds; a task that nobody lets through must not outlive its test for long
_PAUSE = 0.02


def open_gate(name: str) -> None:
    """Let through all who wait at the gate, and all who will."""
    _file(name).parent.mkdir(parents=True, exist_ok=True)
    _file(name).touch()


def wait(gate: str, seconds: float) -> Iterator[None]:
    """Yield again and again, until the gate is open, if there is one, and the seconds have passed."""
    begun = time.monotonic()
    while time.monotonic() - begun < (_PATIENCE if _is_shut(gate) else seconds):
        yield
        time.sleep(_PAUSE)


def _is_shut(gate: str) -> bool:
    return bool(gate) and not _file(gate).exists()


def _file(name: str) -> Path:
    return Path(settings.VAR_DIR) / "gates" / name
