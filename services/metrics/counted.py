"""What is counted where it happens, and for how long it lasted. Costs microseconds, and no statement.

Labels are names that the code declares, never what a client has sent: an action that nobody declares is ``other``.
"""

import logging
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec
from uuid import UUID

from django.db import transaction
from prometheus_client import CollectorRegistry, Counter, Histogram

from reports.endings import action_ended

logger = logging.getLogger(__name__)
Asked = ParamSpec("Asked")

_OTHER = "other"
_STATUSES = ("ok", "failed", "cancelled")
_TASK_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REGISTRY = CollectorRegistry()

_accepted = Counter(
    "async_actions_reports_accepted", "Actions that were accepted, repetitions aside.", ["action"], registry=REGISTRY
)
_finished = Counter(
    "async_actions_reports_finished",
    "Actions that have ended, whoever ended them; one that is retried ends again.",
    ["action", "status"],
    registry=REGISTRY,
)
_report_run = Histogram(
    "async_actions_report_run_seconds",
    "From the first start of an action's tasks to its end, where a task ended it.",
    ["action"],
    buckets=_TASK_SECONDS,
    registry=REGISTRY,
)
_task_queue = Histogram(
    "async_actions_task_queue_seconds",
    "From the moment that a task's turn and time have come to its start, for each attempt.",
    ["action"],
    buckets=_TASK_SECONDS,
    registry=REGISTRY,
)
_task_run = Histogram(
    "async_actions_task_run_seconds",
    "From the start of an attempt at a task until its outcome is recorded.",
    ["action"],
    buckets=_TASK_SECONDS,
    registry=REGISTRY,
)
_retried = Counter(
    "async_actions_task_retries", "Attempts at tasks that are to be retried.", ["action"], registry=REGISTRY
)
_rescued = Counter(
    "async_actions_tasks_rescued",
    "Attempts at tasks that were ended because their process was gone, by what became of the task.",
    ["outcome"],
    registry=REGISTRY,
)
_republished = Counter(
    "async_actions_messages_republished",
    "Messages that recovery has published: for what was due later, could not be published, or was not claimed.",
    ["reason"],
    registry=REGISTRY,
)
_broker_errors = Counter(
    "async_actions_broker_errors", "Calls that the broker did not answer, or refused.", ["kind"], registry=REGISTRY
)
_database_errors = Counter(
    "async_actions_database_errors",
    "Calls that the database did not answer, or refused for the time being, by who called.",
    ["caller"],
    registry=REGISTRY,
)
_requests = Histogram(
    "async_actions_http_request_seconds",
    "Requests until their answer begins; those whose clients wait for a report have an operation of their own.",
    ["operation", "method", "status"],
    buckets=_REQUEST_SECONDS,
    registry=REGISTRY,
)
_FAULTS: tuple[tuple[Counter, tuple[str, ...]], ...] = (
    (_rescued, ("again", "failed", "cancelled")),
    (_republished, ("due", "lost")),
    (_broker_errors, ("away", "refused")),
    (_database_errors, ("request", "task", "recovery")),
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_declared: set[str] = set()


def declare(action: str) -> None:
    """Have what becomes of an action be counted under its name. What has not happened yet is 0, not nothing."""
    _declared.add(action)
    _accepted.labels(action)
    _retried.labels(action)
    _task_run.labels(action)
    for status in _STATUSES:
        _finished.labels(action, status)
    for counter, kinds in _FAULTS:
        for kind in kinds:
            counter.labels(kind)


def _harmless(count: Callable[Asked, None]) -> Callable[Asked, None]:
    """Let nothing that goes wrong with counting, such as a folder that is gone, touch what is counted."""

    @wraps(count)
    def counted(*args: Asked.args, **kwargs: Asked.kwargs) -> None:
        try:
            count(*args, **kwargs)
        except Exception as error:  # noqa: BLE001
            logger.warning("%s does not count: %s", count.__name__, error)

    return counted


def count_ends() -> None:
    """Count from now on that an action has ended, whatever ends it, after the commit."""
    action_ended.connect(_count_end)


@_harmless
def count_accepted(actions: Iterable[str]) -> None:
    """Count actions that were accepted. What is counted must be committed."""
    for action in actions:
        _accepted.labels(known(action)).inc()


@_harmless
def count_start(action: str, *, waited: float) -> None:
    """Count that an attempt has started, after it had waited for so many seconds."""
    _task_queue.labels(known(action)).observe(waited)


@_harmless
def count_attempt(action: str, *, seconds: float) -> None:
    """Count that an attempt is over."""
    _task_run.labels(known(action)).observe(seconds)


@_harmless
def count_retry(action: str) -> None:
    """Count that an attempt is to be followed by another, by the task's own policy."""
    _retried.labels(known(action)).inc()


@_harmless
def count_rescue(outcome: str) -> None:
    """Count that an attempt was ended for a process that is gone: ``again``, ``failed`` or ``cancelled``."""
    _rescued.labels(outcome).inc()


@_harmless
def count_republished(number: int, *, reason: str) -> None:
    """Count messages that recovery publishes: they were ``due``, or ``lost`` by the broker."""
    if number:
        _republished.labels(reason).inc(number)


@_harmless
def count_broker_error(kind: str) -> None:
    """Count that the broker was ``away``, or has ``refused`` a message."""
    _broker_errors.labels(kind).inc()


@_harmless
def count_database_error(caller: str) -> None:
    """Count that the database was away for a ``request``, a ``task`` or ``recovery``."""
    _database_errors.labels(caller).inc()


@_harmless
def count_request(operation: str, *, method: str, status: int, seconds: float) -> None:
    """Count a request that is answered. ``operation`` is the pattern of its route, never its path."""
    method = method if method in _METHODS else _OTHER
    _requests.labels(operation or _OTHER, method, f"{status // 100}xx").observe(seconds)


def _count_end(action: str, status: str, seconds: float | None, root: UUID, **_: Any) -> None:
    del root

    def count() -> None:
        name = known(action)
        _finished.labels(name, status).inc()
        if seconds is not None:
            _report_run.labels(name).observe(max(0.0, seconds))

    transaction.on_commit(count, robust=True)


def known(action: str) -> str:
    """Return the name under which an action is counted."""
    return action if action in _declared else _OTHER
