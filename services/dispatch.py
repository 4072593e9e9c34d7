"""Publishing: telling the broker that a report's turn has come. The only thing a message carries is that."""

import logging
from collections.abc import Sequence

from celery import current_app
from kombu.exceptions import OperationalError

from reports import waiting
from reports.handover import Dispatch

logger = logging.getLogger(__name__)

# Seconds until recovery publishes what could not be published now.
_BROKER_PAUSE = 2.0


def publish(dispatches: Sequence[Dispatch]) -> bool:
    """Publish a message for each dispatched task: its name and its report's id, nothing else.

    A broker that is away costs at most its connection time-out: what could not be published is left to recovery.
    Returns whether all was published.
    """
    for position, dispatch in enumerate(dispatches):
        try:
            current_app.send_task(dispatch.task, task_id=str(dispatch.id), retry=False, **dispatch.options)
        except OperationalError as error:
            left = [late.id for late in dispatches[position:]]
            logger.warning("The broker is away; %d tasks are left to recovery: %s", len(left), error)
            waiting.make_due(left, in_seconds=_BROKER_PAUSE)
            return False
    return True
