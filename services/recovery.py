"""What keeps every promise when something dies: publish what is due, rescue what is stuck."""

import logging

from celery import current_app
from django.conf import settings

from reports import execution, waiting
from reports.errors import AttemptLostError
from reports.failure import Failure
from reports.waiting import Stale
from services.dispatch import publish

logger = logging.getLogger(__name__)

_BATCH = 200


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


def rescue_stale() -> int:
    """Rescue running tasks whose worker has not been heard of for a lease. Returns how many."""
    stale = waiting.take_stale(_BATCH)
    for attempt in stale:
        rescue(attempt)
    return len(stale)


def rescue(stale: Stale) -> None:
    """End an attempt whose worker is lost: run the task again where it may, fail it elsewhere.

    A task may where it declares ``retry_on_worker_lost`` and has not lost ``RECOVERY_MAX_LOSSES`` workers already.
    """
    task = current_app.tasks.get(stale.task)
    may_run_again = getattr(task, "retry_on_worker_lost", False) and stale.losses < settings.RECOVERY_MAX_LOSSES
    failure = Failure.worker_lost(task=stale.task, worker=stale.worker)
    logger.warning("%s[%s]: %s", stale.task, stale.id, failure.message)
    try:
        if may_run_again:
            execution.put_off(stale.id, stale.attempt, failure, delay=0, lost=True)
        else:
            execution.fail(stale.id, stale.attempt, failure)
    except AttemptLostError:
        logger.info("%s[%s] had its outcome recorded after all.", stale.task, stale.id)
