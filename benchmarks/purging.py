"""Show that purging a million finished reports holds nobody up: how long statements take, and clients wait."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any
from uuid import UUID

from benchmarks.plans import FINISHED, WAITING, fill, task  # sets Django up

from django.core.management import call_command  # isort: skip
from django.db import connection  # isort: skip

from reports import acceptance, purging, selectors  # isort: skip
from reports.models import AsyncActionReport  # isort: skip
from reports.plan import ChainNode  # isort: skip

LONGEST = 1.0  # seconds that a statement may take
_PLAN = ChainNode((task(), task()))


class Client(Thread):
    """Somebody who has actions accepted and polls them all the while."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.accepting: list[float] = []
        self.polling: list[float] = []
        self._stopped = Event()

    def run(self) -> None:
        try:
            while not self._stopped.is_set():
                root = self._timed(self.accepting, _accept)
                self._timed(self.polling, lambda root=root: selectors.find(root, owner=1))
        finally:
            connection.close()

    def stop(self) -> None:
        """Stop after what is under way."""
        self._stopped.set()
        self.join()

    def _timed(self, durations: list[float], act: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        outcome = act()
        durations.append(time.perf_counter() - began)
        return outcome


def _accept() -> UUID:
    root, _ = acceptance.accept(action="action-1", plan=_PLAN, parameters={}, requested_by=1)
    return root


@contextmanager
def _timing(durations: list[float]) -> Iterator[None]:
    def execute(execute: Callable[..., Any], *rest: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*rest)
        finally:
            durations.append(time.perf_counter() - began)

    with connection.execute_wrapper(execute):
        yield


def main() -> int:
    """Fill, purge, and say what was seen. Returns 1 where a statement took longer than it may."""
    call_command("migrate", verbosity=0)
    fill()
    client = Client()
    client.start()
    statements: list[float] = []
    before = AsyncActionReport.objects.count()
    began = time.perf_counter()
    with _timing(statements):
        while purging.purge_batch(older_than=0):
            pass
    took = time.perf_counter() - began
    client.stop()
    gone = before + 3 * len(client.accepting) - AsyncActionReport.objects.count()
    print(f"{gone:,} of {FINISHED + WAITING:,} reports purged in {took:.0f} s by {len(statements):,} statements.")
    for name, durations in (("a statement", statements), ("accept", client.accepting), ("poll", client.polling)):
        print(f"{name:12} {_milliseconds(durations)}")
    return int(max(statements) > LONGEST)


def _milliseconds(durations: list[float]) -> str:
    ordered = sorted(durations)
    p50, p99 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.99))
    return f"p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, longest {ordered[-1] * 1000:.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
