import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from stack.process import Service


class Stack:
    """Services that are started and ended together, in stages: those of one stage need those of the stages before."""

    def __init__(self, *stages: Sequence[Service]) -> None:
        self._stages = stages

    @property
    def services(self) -> list[Service]:
        """All of them, those that others need first."""
        return [service for stage in self._stages for service in stage]

    def start(self, announce: Callable[[Service], None] = lambda _: None) -> Self:
        """Start all that does not run yet and wait until everything is ready; ``announce`` is told what is.

        Raises:
            ServiceStartError: one of them did not become ready; then all are ended.

        """
        try:
            for stage in self._stages:
                self._start(stage, announce)
        except BaseException:
            self.kill()
            raise
        return self

    def _start(self, stage: Sequence[Service], announce: Callable[[Service], None]) -> None:
        for service in stage:
            if not service.is_running:
                service.launch()
        for service in stage:
            service.wait_until_ready()
            announce(service)

    def stop(self) -> None:
        """End everything, the last stage first."""
        for stage in reversed(self._stages):
            running = [service for service in stage if service.is_running]
            for service in running:
                service.ask_to_end()
            now = time.monotonic()
            for service in stage:
                service.finish(now + service.grace)

    def kill(self) -> None:
        """End everything at once."""
        for service in reversed(self.services):
            service.kill()

    def ended(self) -> Service | None:
        """Return a service that has ended although nobody stopped it."""
        return next((service for service in self.services if not service.is_running), None)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
