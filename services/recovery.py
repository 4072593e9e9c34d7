"""What keeps every promise when something dies: publish what is due, rescue what is stuck."""

import logging
from collections.abc import Collection

from celery import current_app
from django.conf import settings

from reports import execution, intervention, waiting
from reports.errors import AttemptLostError
from reports.failure import Failure
from reports.purging import purge_batch
from reports.waiting import Stale
from services.dispatch import publish

logger = logging.getLogger(__name__)

_BATCH = 200
_DAY = 24 * 3600.0
# Seconds that a message may be on its way to the broker, or from it to a worker's hand.
_MESSAGE_UNDERWAY = 5.0


def publish_due() -> int:
    """Publish the reports that are due, a batch at a time, until none is left or the broker is away.

    Returns how many were published.
    """
    published = 0
    while due := waiting.take_due(_BATCH):
        if not publish(due):
            break
        published += len(due)
        if len(due) < _BATCH:
            break
    if published:
        logger.info("Published %d reports that were due.", published)
    return published


def end_overdue() -> int:
    """Fail the actions whose deadline has passed. Returns how many."""
    return sum(intervention.end_overdue(root) for root in waiting.find_overdue(_BATCH))


def republish_lost(empty_queues: Collection[str]) -> int:
    """Make due what was published to ``empty_queues`` and never claimed: a broker lost it. Returns how many."""
    router = current_app.amqp.router
    tasks = [
        name
        for name, task in current_app.tasks.items()
        if getattr(task, "records_outcome", False)
        and router.route({}, name, task_type=type(task))["queue"].name in empty_queues
    ]
    lost = waiting.make_lost_due(tasks=tasks, older_than=_MESSAGE_UNDERWAY, limit=_BATCH * 10)
    if lost:
        logger.warning("The broker had lost the messages of %d reports; they are published again.", lost)
    return lost


def purge() -> int:
    """Delete a batch of final actions that are older than their retention. Returns how many."""
    own = settings.REPORT_RETENTION_DAYS_BY_ACTION
    purged = purge_batch(older_than=settings.REPORT_RETENTION_DAYS * _DAY, except_actions=list(own))
    return purged + sum(purge_batch(older_than=days * _DAY, action=action) for action, days in own.items())


def rescue_stale() -> int:
    """Rescue running tasks whose worker has not been heard of for a lease. Returns how many."""
    stale = waiting.take_stale(_BATCH)
    for attempt in stale:
        rescue(attempt)
    return len(stale)


def rescue(stale: Stale, *, terminated: bool = False) -> None:
    """End an attempt whose worker is lost: run the task again where it may, fail it elsewhere.

    One that was ``terminated`` because its action is final becomes cancelled with it.

    A task may where it declares ``retry_on_worker_lost`` and has not lost ``RECOVERY_MAX_LOSSES`` workers already.
    """
    task = current_app.tasks.get(stale.task)
    may_run_again = getattr(task, "retry_on_worker_lost", False) and stale.losses < settings.RECOVERY_MAX_LOSSES
    if terminated:
        failure = Failure.terminated(task=stale.task)
    else:
        failure = Failure.worker_lost(task=stale.task, worker=stale.worker)
    logger.warning("%s[%s]: %s", stale.task, stale.id, failure.message)
    try:
        if may_run_again or terminated:
            execution.put_off(stale.id, stale.attempt, failure, delay=0, lost=True)
        else:
            execution.fail(stale.id, stale.attempt, failure)
    except AttemptLostError:
        logger.info("%s[%s] had its outcome recorded after all.", stale.task, stale.id)
