"""The parts of the service, each with somebody who brings it back, as an orchestrator does."""

import time
from threading import Event, RLock

from chaos.watch import Watch
from stack.process import Service
from stack.terminal import say

_PAUSE = 0.05
_BREATH = 0.3  # seconds between two tries to start something


class Part:
    """A service that is started again whenever it has ended, and woken when it has been frozen for long enough."""

    def __init__(self, service: Service, watch: Watch) -> None:
        self.service = service
        self.ended_by_itself = 0
        self._watch = watch
        self._lock = RLock()
        self.is_ready = True
        self._starts_at = 0.0
        self._wakes_at: float | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.service.name

    @property
    def is_there(self) -> bool:
        """Whether it can be struck: neither away nor frozen."""
        return self.service.is_running and self._wakes_at is None

    def kill(self, for_seconds: float) -> bool:
        """Kill all of its processes; it stays away for so many seconds. Returns whether it was there."""
        with self._lock:
            if not self.is_there:
                return False
            self._be_gone(for_seconds)
            self.service.kill()
            return True

    def freeze(self, for_seconds: float) -> bool:
        """Freeze all of its processes for so many seconds. Returns whether it was there."""
        with self._lock:
            if not self.is_there:
                return False
            self._watch.disturb(self.name, time.monotonic())
            self.service.pause()
            self._wakes_at = time.monotonic() + for_seconds
            return True

    def keep(self, stop: Event) -> None:
        """Bring it back whenever it is gone, until told to stop; then once more."""
        while not stop.wait(_PAUSE):
            with self._lock:
                self._look_after()
        with self._lock:
            self._wake()

    def _look_after(self) -> None:
        now = time.monotonic()
        if self._wakes_at is not None and now >= self._wakes_at:
            self._wake()
        if not self.service.is_running:
            if self.is_ready:
                self.ended_by_itself += 1
                say(f"{self.name} ended by itself with exit code {self.service.exit_code}:\n{self.service.log_tail(5)}")
                self._be_gone(0.0)
            if now >= self._starts_at:
                self.service.kill()  # what its main process has left behind
                self.service.launch()
                self._starts_at = now + _BREATH
        elif not self.is_ready and self._wakes_at is None and self.service.is_ready():
            self.is_ready = True
            self._watch.calm(self.name, time.monotonic())

    def _be_gone(self, for_seconds: float) -> None:
        now = time.monotonic()
        self._watch.disturb(self.name, now)
        self.is_ready = False
        self._starts_at = now + for_seconds

    def _wake(self) -> None:
        if self._wakes_at is not None:
            self._wakes_at = None
            self.service.resume()
            if self.is_ready:
                self._watch.calm(self.name, time.monotonic())
