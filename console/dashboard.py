"""How the service is, on one page: what comes and goes, how long it takes, what waits, who works, what fails."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.core.cache import cache

from console.chart import Chart
from reports import backlog, statistics, workers
from reports.backlog import Backlog
from reports.models import Status
from reports.selectors import read_clock
from reports.statistics import FailureGroup, Measured, Running
from reports.workers import KnownWorker
from services import queues

WINDOW = timedelta(hours=1)
FAILURES_WINDOW = timedelta(days=1)
MOST_WAITING = 100_000
# Seconds that a process shows what it has read, whoever asks for it.
_FRESH = 5
_KEY = "console.dashboard"


@dataclass(frozen=True, slots=True)
class ActionTimes:
    """What actions of one name took, in seconds, and how many were ok of those that were not cancelled."""

    action: str
    number: int
    success: float | None
    queued: tuple[float, float] | None  # the median, and what 95 of 100 did not exceed
    ran: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits in one queue, for how many seconds at most, and how many living workers take from it."""

    name: str
    waiting: int
    longest: float
    workers: int


@dataclass(frozen=True, slots=True)
class WorkerAtWork:
    """A worker, and what it executes."""

    worker: KnownWorker
    running: list[Running]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """All of it, as it was at one moment."""

    read_at: datetime
    chart: Chart
    success: float | None
    measured: int
    times: list[ActionTimes]
    queues: list[Queue]
    workers: list[WorkerAtWork]
    running: int
    failures: list[FailureGroup]

    @property
    def waiting(self) -> int:
        """How many tasks wait for a worker."""
        return sum(queue.waiting for queue in self.queues)

    @property
    def longest_wait(self) -> float | None:
        """For how many seconds the one that has waited for longest has."""
        return max((queue.longest for queue in self.queues), default=None)

    @property
    def alive(self) -> int:
        """How many workers are alive."""
        return sum(at_work.worker.is_alive for at_work in self.workers)

    @property
    def processes(self) -> int:
        """How many tasks they execute at once, at most."""
        return sum(at_work.worker.processes for at_work in self.workers if at_work.worker.is_alive)

    @property
    def failed(self) -> int:
        """How many failures are grouped."""
        return sum(group.number for group in self.failures)


#: What is told with the figures, of how much was looked at.
LIMITS = {
    "window": WINDOW,
    "failures_window": FAILURES_WINDOW,
    "measured": statistics.MOST_MEASURED,
    "counted": statistics.MOST_COUNTED,
    "failures": statistics.MOST_FAILURES,
    "running": statistics.MOST_RUNNING,
    "waiting": MOST_WAITING,
}


def read() -> Dashboard:
    """Return how the service is, or was a few seconds ago."""
    known: Dashboard | None = cache.get(_KEY)
    if known is None:
        known = _read()
        cache.set(_KEY, known, _FRESH)
    return known


def _read() -> Dashboard:
    now = read_clock()
    measured = statistics.measure_finished(now - WINDOW)
    known = workers.list_known()
    running = statistics.list_running()
    return Dashboard(
        read_at=now,
        chart=Chart.of(
            list(statistics.slices(now - WINDOW, now)),
            accepted=statistics.count_accepted(now - WINDOW),
            finished=statistics.count_finished(now - WINDOW),
        ),
        success=_success(measured),
        measured=len(measured),
        times=_times(measured),
        queues=_queues(backlog.find_backlogs(most=MOST_WAITING), known),
        workers=[_at_work(worker, running) for worker in known],
        running=len(running),
        failures=statistics.group_failures(now - FAILURES_WINDOW),
    )


def _success(measured: Iterable[Measured]) -> float | None:
    counted = Counter(one.status for one in measured)
    ended = counted[Status.OK] + counted[Status.FAILED]
    return 100 * counted[Status.OK] / ended if ended else None


def _times(measured: Iterable[Measured]) -> list[ActionTimes]:
    by_action: dict[str, list[Measured]] = {}
    for one in measured:
        by_action.setdefault(one.action, []).append(one)
    times = [
        ActionTimes(
            action,
            len(members),
            _success(members),
            _typical([one.queued for one in members]),
            _typical([one.ran for one in members]),
        )
        for action, members in by_action.items()
    ]
    return sorted(times, key=lambda one: (-one.number, one.action))


def _typical(values: Iterable[float | None]) -> tuple[float, float] | None:
    known = sorted(max(value, 0.0) for value in values if value is not None)
    return (_percentile(known, 50), _percentile(known, 95)) if known else None


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[ceil(len(ordered) * percent / 100) - 1]


def _queues(waiting: Iterable[Backlog], known: Iterable[KnownWorker]) -> list[Queue]:
    served = Counter(queue for worker in known if worker.is_alive for queue in set(worker.queues))
    numbers: Counter[str] = Counter()
    longest: dict[str, float] = {}
    for found in waiting:
        name = queues.name_for(found.task, found.options)
        numbers[name] += found.number
        longest[name] = max(longest.get(name, 0.0), found.waiting_for)
    names = sorted({*numbers, *served})
    return [Queue(name, numbers[name], longest.get(name, 0.0), served[name]) for name in names]


def _at_work(worker: KnownWorker, running: Iterable[Running]) -> WorkerAtWork:
    return WorkerAtWork(worker, [task for task in running if task.worker.startswith(f"{worker.name}:")])


def context() -> dict[str, Any]:
    """Return what the template of the dashboard needs."""
    return {"dashboard": read(), "limits": LIMITS}
