"""Publishing: telling the broker that a report's turn has come. The only thing a message carries is that."""

import logging
from collections.abc import Sequence
from math import inf
from time import monotonic

from celery import current_app
from kombu.exceptions import OperationalError

from reports import waiting
from reports.handover import Dispatch
from services import belonging, tracing
from services.metrics.counted import count_broker_error

logger = logging.getLogger(__name__)

# Seconds for which a broker that did not answer is left alone, so that not every request waits for it in turn.
_BROKER_PAUSE = 2.0
_broker_away_until = 0.0


def publish(dispatches: Sequence[Dispatch], *, within: float = inf) -> bool:
    """Publish a message for each dispatched task: its name and its report's id, nothing else.

    A broker that is away costs a caller its time-out at most, and the next callers nothing for a while; one that is
    slow costs them ``within`` seconds and a message. What is not published is left to recovery. Returns whether all
    was published.
    """
    until = monotonic() + within
    for position, dispatch in enumerate(dispatches):
        if monotonic() > until:
            _leave(dispatches[position:], in_seconds=0)
            return False
        if not _offer(dispatch):
            _leave(dispatches[position:], in_seconds=_BROKER_PAUSE)
            return False
    return True


def _leave(dispatches: Sequence[Dispatch], *, in_seconds: float) -> None:
    waiting.make_due([dispatch.id for dispatch in dispatches], in_seconds=in_seconds)


def _offer(dispatch: Dispatch) -> bool:
    """Publish one message. Returns whether it makes sense to go on with the next one."""
    global _broker_away_until  # noqa: PLW0603  one process has one broker
    if monotonic() < _broker_away_until:
        return False
    try:
        with tracing.publishing(dispatch.task, dispatch.id):
            current_app.send_task(
                dispatch.task, task_id=str(dispatch.id), retry=False, add_to_parent=False, **dispatch.options
            )
    except OperationalError as error:
        with belonging.looking_up(dispatch.id, task=dispatch.task):
            logger.warning("Could not publish %s[%s], recovery will: %s", dispatch.task, dispatch.id, error)
        count_broker_error("away")
        _broker_away_until = monotonic() + _BROKER_PAUSE
        return False
    except Exception as error:  # noqa: BLE001  the report is committed: no fault of the broker's may look like its own
        count_broker_error("refused")
        # Refused, and no reason for the others to wait; recovery tries this one again at growing intervals.
        with belonging.looking_up(dispatch.id, task=dispatch.task):
            logger.error("The broker takes no message for %s[%s]: %s", dispatch.task, dispatch.id, error)  # noqa: TRY400
    return True
