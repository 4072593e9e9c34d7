"""What the ledger says when it is asked: how many wait and run. The same whoever asks, and so not to be summed.

Shown by the web processes alone. Asked every few seconds at most, and by one at a time.
"""

import logging
from collections.abc import Iterator
from threading import Lock
from time import monotonic

from django.db import DatabaseError, InterfaceError
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reports import census, workers
from services import queues
from services.metrics.counted import known

logger = logging.getLogger(__name__)

_FRESH = 5.0  # seconds

Counts = dict[tuple[str, ...], float]


class LedgerCollector(Collector):
    """Reads the ledger, and says whether it could. What it has said before is not said again when it is away."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._read_at = float("-inf")
        self._families: list[Metric] = []

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges, a few seconds old at most."""
        if not self._lock.acquire(timeout=_FRESH):
            return  # a ledger that hangs holds up one who asks, and not all of them
        try:
            if monotonic() - self._read_at >= _FRESH:
                self._families = list(_read())
                self._read_at = monotonic()
            yield from self._families
        finally:
            self._lock.release()


def _read() -> Iterator[Metric]:
    up = GaugeMetricFamily("async_actions_ledger_up", "Whether the ledger has told the numbers below: 1 or 0.")
    try:
        told = [*_waiting(), _running(), *_workers()]
    except (DatabaseError, InterfaceError) as error:
        logger.warning("The ledger does not tell how many wait and run: %s", error)
        up.add_metric([], 0)
        yield up
    else:
        up.add_metric([], 1)
        yield from (up, *told)


def _waiting() -> tuple[Metric, Metric]:
    number: Counts = {}
    longest: Counts = {}
    for waiting in census.count_waiting():
        key = (known(waiting.action), queues.name_for(waiting.task, waiting.options))
        number[key] = number.get(key, 0) + waiting.number
        longest[key] = max(longest.get(key, 0), waiting.longest)
    labels = ["action", "queue"]
    return (
        _gauge(
            "async_actions_tasks_waiting",
            f"Tasks that a worker could take and none has taken; at most {census.MOST_COUNTED:,} are counted.",
            labels,
            number,
        ),
        _gauge("async_actions_oldest_waiting_seconds", "How long the oldest of these has waited.", labels, longest),
    )


def _running() -> Metric:
    number: Counts = {}
    for action, running in census.count_running().items():
        number[(known(action),)] = number.get((known(action),), 0) + running
    return _gauge("async_actions_tasks_running", "Tasks that workers execute.", ["action"], number)


def _workers() -> tuple[Metric, Metric]:
    alive = [worker for worker in workers.list_known() if worker.is_alive]
    return (
        GaugeMetricFamily("async_actions_workers_alive", "Workers heard of within a lease.", value=len(alive)),
        GaugeMetricFamily(
            "async_actions_worker_processes",
            "Tasks that these can execute at once.",
            value=sum(worker.processes for worker in alive),
        ),
    )


def _gauge(name: str, text: str, labels: list[str], values: Counts) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family
