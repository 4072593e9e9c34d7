"""What keeps every promise when something dies: publish what is due, rescue what is stuck."""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection

from reports import execution, intervention, refusal, waiting
from reports.codes import CANCELLED, WORKER_LOST
from reports.errors import AttemptLostError
from reports.failure import Failure
from reports.waiting import Stale
from services import belonging, queues
from services.dispatch import publish
from services.metrics.counted import count_republished, count_rescue

logger = logging.getLogger(__name__)

_BATCH = 200
# So few that no lock which somebody keeps, waited for again and again, holds up the heartbeats of a worker.
_FEW = 5
# Seconds that a message may be on its way to the broker, or from it to a worker's hand.
_MESSAGE_UNDERWAY = 5.0


def publish_due() -> bool:
    """Publish a batch of the reports that are due. Returns whether more may be."""
    due = waiting.take_due(_BATCH)
    if not publish(due, within=settings.RECOVERY_HEARTBEAT_INTERVAL):
        return False
    count_republished(len(due), reason="due")
    if due:
        logger.info("Published %d reports that were due.", len(due))
    return len(due) == _BATCH


def end_overdue() -> bool:
    """Fail a few of the actions whose deadline has passed. Returns whether more may have."""
    overdue = waiting.find_overdue(_FEW)
    for root in overdue:
        with _alone(root):
            intervention.end_overdue(root)
    return len(overdue) == _FEW


def republish_lost(empty_queues: Collection[str]) -> None:
    """Make due what was published to ``empty_queues`` and never claimed: the broker has lost it."""
    tasks = [task for queue, names in queues.tasks_by_queue().items() if queue in empty_queues for task in names]
    lost = waiting.make_lost_due(tasks=tasks, older_than=_MESSAGE_UNDERWAY, limit=_BATCH * 10)
    count_republished(lost, reason="lost")
    if lost:
        # Few of them a worker may have in hand: a message too many does no harm.
        logger.warning("The messages of %d reports are in no queue any more; they are published again.", lost)


def rescue_stale() -> bool:
    """Rescue a few running tasks whose worker has not been heard of for a lease. Returns whether more may be."""
    stale = waiting.take_stale(_FEW)
    for attempt in stale:
        with _alone(attempt.id):
            rescue(attempt)
    return len(stale) == _FEW


def rescue(lost: Stale, failure: Failure | None = None) -> None:
    """End an attempt whose executor is gone, with ``failure`` where one knows why.

    A task whose worker was lost runs again where it declares ``retry_on_worker_lost`` and has not lost
    ``RECOVERY_MAX_LOSSES`` workers already. One that was stopped because its action had ended is cancelled.
    """
    failure = failure or Failure.worker_lost(task=lost.task)
    with belonging.looking_up(lost.id, task=lost.task, attempt=lost.attempt):
        logger.warning("%s[%s] of %s: %s", lost.task, lost.id, lost.worker, failure.message)
        try:
            if failure.code == CANCELLED or (failure.code == WORKER_LOST and _may_run_again(lost)):
                execution.put_off(lost.id, lost.attempt, failure, delay=0, lost=True)
                count_rescue("cancelled" if failure.code == CANCELLED else "again")
            else:
                execution.fail(lost.id, lost.attempt, failure)
                count_rescue("failed")
        except AttemptLostError:
            logger.info("%s[%s] had its outcome recorded after all.", lost.task, lost.id)


def refuse_unknown(id_: UUID, *, task: str) -> None:
    """See to the report of a message for a task that this process has no code for: later, another one may have it."""
    with _alone(id_):
        if refusal.refuse(id_, task=task):
            with belonging.looking_up(id_, task=task):
                logger.error("%s[%s] has failed: no worker that was given it has code for it.", task, id_)


@contextmanager
def _alone(report: UUID) -> Iterator[None]:
    """Let what the database refuses about one report not keep recovery from the others."""
    try:
        yield
    except DatabaseError:
        if not connection.is_usable():
            raise
        logger.exception("The database refuses what recovery wants to do about report %s.", report)


def _may_run_again(lost: Stale) -> bool:
    task = current_app.tasks.get(lost.task)
    return getattr(task, "retry_on_worker_lost", False) and lost.losses < settings.RECOVERY_MAX_LOSSES
