"""Publishing: telling the broker that a report's turn has come. The only thing a message carries is that."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf
from time import monotonic
from typing import Any

from celery import current_app
from kombu.exceptions import BatchPublishError, OperationalError  # type: ignore[attr-defined]  # its types are older

from reports import waiting
from reports.handover import Dispatch
from services import belonging, tracing
from services.metrics.counted import count_broker_error

logger = logging.getLogger(__name__)

# Seconds for which a broker that did not answer is left alone, so that not every request waits for it in turn.
_BROKER_PAUSE = 2.0
# Messages that Redis is sent in one go. One of them costs 0.18 ms of processor time then, and 0.30 ms alone.
_PORTION = 100
_broker_away_until = 0.0


def publish(dispatches: Sequence[Dispatch], *, within: float = inf) -> bool:
    """Publish a message for each dispatched task: its name and its report's id, nothing else.

    A broker that is away costs a caller its time-out at most, and the next callers nothing for a while; one that is
    slow costs them ``within`` seconds and an answer. What is not published for sure is left to recovery.
    Returns whether all was published.
    """
    until = monotonic() + within
    for begin in range(0, len(dispatches), _PORTION):
        portion = dispatches[begin : begin + _PORTION]
        published = _offer(portion, until)
        if published < len(portion):
            is_away = monotonic() < _broker_away_until
            left = [dispatch.id for dispatch in dispatches[begin + published :]]
            waiting.make_due(left, in_seconds=_BROKER_PAUSE if is_away else 0)
            return False
    return True


def _offer(portion: Sequence[Dispatch], until: float) -> int:
    """Publish messages until that moment. Returns how many are published for sure, from the first one on."""
    global _broker_away_until  # noqa: PLW0603  one process has one broker
    if monotonic() < _broker_away_until:
        return 0
    sent = certain = 0
    try:
        with current_app.producer_or_acquire() as producer, _in_one_go(producer, len(portion)) as is_in_one_go:
            for dispatch in portion:
                if monotonic() > until:
                    break
                _send(dispatch, producer)
                sent += 1
                certain = 0 if is_in_one_go else sent
    except (OperationalError, BatchPublishError) as error:
        # What was sent in one go may have arrived, or some of it. A message that comes twice does no harm.
        if unsure := portion[certain:]:
            _log_unsure(unsure, error)
        count_broker_error("away")
        _broker_away_until = monotonic() + _BROKER_PAUSE
        return certain
    return sent


def _log_unsure(unsure: Sequence[Dispatch], error: Exception) -> None:
    first, others = unsure[0], f" and {len(unsure) - 1} more" if len(unsure) > 1 else ""
    reason = error.__cause__ or error  # of a batch it says no more than that it failed
    with belonging.looking_up(first.id, task=first.task):
        logger.warning("Could not publish %s[%s]%s, recovery will: %s", first.task, first.id, others, reason)


@contextmanager
def _in_one_go(producer: Any, messages: int) -> Iterator[bool]:
    """Have what is published in here sent when this ends, and say so; one by one to brokers that cannot have it."""
    if messages == 1 or not producer.supports_batch_publish:
        yield False
        return
    with producer.batch(messages + 1):  # of so many that it sends them when it ends, and not before
        yield True


def _send(dispatch: Dispatch, producer: Any) -> None:
    try:
        with tracing.publishing(dispatch.task, dispatch.id):
            current_app.send_task(
                dispatch.task,
                task_id=str(dispatch.id),
                producer=producer,
                retry=False,
                add_to_parent=False,
                **dispatch.options,
            )
    except (OperationalError, BatchPublishError):
        raise
    except Exception as error:  # noqa: BLE001  the report is committed: no fault of the broker's may look like its own
        count_broker_error("refused")
        # Refused, and no reason for the others to wait; recovery tries this one again at growing intervals.
        with belonging.looking_up(dispatch.id, task=dispatch.task):
            logger.error("The broker takes no message for %s[%s]: %s", dispatch.task, dispatch.id, error)  # noqa: TRY400
