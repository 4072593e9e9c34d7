from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from threading import Event
from types import TracebackType
from typing import Self

_MOST = 32


class Crew:
    """Threads that work until they are told to stop. An error in one of them is raised where they are waited for."""

    def __init__(self) -> None:
        self._stop = Event()
        self._pool = ThreadPoolExecutor(_MOST)
        self._members: list[Future[None]] = []

    def add(self, work: Callable[[Event], None]) -> None:
        """Have somebody do ``work``, which returns soon after the event that it is given is set."""
        self._members.append(self._pool.submit(work, self._stop))

    def wait(self, seconds: float) -> None:
        """Let them work for so long, unless all are done sooner or something goes wrong."""
        done, _ = wait(self._members, seconds, FIRST_EXCEPTION)
        for member in done:
            member.result()

    def end(self) -> None:
        """Tell them to stop, and wait until they have."""
        self._stop.set()
        for member in self._members:
            member.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._pool.shutdown()
