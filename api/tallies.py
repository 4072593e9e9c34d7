"""What this process has let through and not counted in Redis yet, because there is plenty left.

A round trip to Redis is an eighth of what a poll costs. So somebody who is far from a limit is counted ten times a
second, not each time: with every process that serves them, they may get a tenth of a second's requests too many.
"""

from dataclasses import dataclass
from threading import Lock
from time import monotonic

_MOST = 10_000
_INTERVAL = 0.1  # seconds
_FEW = 1_000  # requests left, at which each is counted at once


@dataclass(slots=True)
class Tally:
    """What Redis said was left when it was last asked, and what was let through since then."""

    left: int
    wait: int
    asked_at: float
    uncounted: int = 0


class Tallies:
    """The tallies of those who were there lately. Those that came first are forgotten first."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}
        self._lock = Lock()

    def let_through(self, key: str, cost: int) -> tuple[int, int] | None:
        """Return what is left, and the wait for one more, where Redis need not be asked; else ``None``."""
        tally = self._tallies.get(key)
        if tally is None or monotonic() - tally.asked_at > _INTERVAL:
            return None
        with self._lock:
            left = tally.left - tally.uncounted - cost
            if left < _FEW:
                return None
            tally.uncounted += cost
        return left, tally.wait

    def uncounted(self, key: str) -> int:
        """Return what is to be counted now, and forget it."""
        with self._lock:
            tally = self._tallies.pop(key, None)
        return tally.uncounted if tally else 0

    def note(self, key: str, left: int, wait: int) -> None:
        """Remember what Redis has said."""
        if left < _FEW:
            return
        with self._lock:
            if len(self._tallies) >= _MOST:
                del self._tallies[next(iter(self._tallies))]
            self._tallies[key] = Tally(left, wait, monotonic())
