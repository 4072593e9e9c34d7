"""Signs of life: the parts of a worker's main process give them, and its watchdog counts since when they do not."""

from threading import Lock

RECOVERY = "recovery"
EVENT_LOOP = "event loop"
CONSUMER = "consumer"


class SignsOfLife:
    """Since how many ticks of a watchdog each part of a process has been silent.

    Ticks rather than time: those of a process that was frozen, or of a machine that was suspended, stand still too.
    """

    def __init__(self) -> None:
        self._silent_for: dict[str, int] = {}
        self._lock = Lock()

    def give(self, part: str) -> None:
        """Be alive."""
        with self._lock:
            self._silent_for[part] = 0

    def end(self, part: str) -> None:
        """Be silent from now on, and rightly so."""
        with self._lock:
            self._silent_for.pop(part, None)

    def tick(self) -> None:
        """Have one more tick pass."""
        with self._lock:
            for part in self._silent_for:
                self._silent_for[part] += 1

    def silent(self, ticks: int) -> list[str]:
        """Return the parts that have given no sign for ``ticks`` or longer."""
        with self._lock:
            return [part for part, silent_for in self._silent_for.items() if silent_for >= ticks]


#: Of this process.
signs = SignsOfLife()
