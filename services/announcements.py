"""Telling the web processes over Redis that a report has changed: whoever waits for it need not ask the database.

Nothing depends on it. Where Redis is away, those who wait hear it a little later, from the database.
"""

import logging
from functools import cache, partial
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from redis import Redis, RedisError, TimeoutError  # noqa: A004  RedisError is what it is
from redis.backoff import NoBackoff
from redis.retry import Retry

from reports.endings import action_ended

logger = logging.getLogger(__name__)

_CHANNEL = "async-actions:changed-reports"
# Seconds that Redis may take for an answer, and for which one that took longer is left alone: so much of its time is
# the most that a worker, or a request, loses to a Redis that is away.
_PATIENCE = 0.3
_PAUSE = 10.0
_LONGEST_READ = 0.5
_MOST_AT_ONCE = 1000
_BYTES_OF_ID = 16
_away_until = 0.0


def announce_ends() -> None:
    """Announce from now on that an action has ended, whatever ends it, after the commit."""
    action_ended.connect(_announce_end)


def _announce_end(root: UUID, **_: Any) -> None:
    transaction.on_commit(partial(announce, root), robust=True)


def announce(root: UUID) -> None:
    """Tell that an action's report has changed. What is told must be committed."""
    global _away_until  # noqa: PLW0603  one process has one Redis
    if monotonic() < _away_until:
        return
    try:
        _client().publish(_CHANNEL, root.bytes)
    except RedisError as error:
        logger.warning("Could not announce that report %s has changed: %s", root, error)
        _away_until = monotonic() + _PAUSE


class Subscription:
    """A connection of its own that hears what is announced from now on. Belongs to one thread.

    Everything here raises RedisError where Redis is away.
    """

    def __init__(self) -> None:
        self._messages = _client().pubsub()  # type: ignore[no-untyped-call]
        self._messages.subscribe(_CHANNEL)
        if self._messages.get_message(timeout=_PATIENCE) is None:
            raise TimeoutError("Redis has not confirmed the subscription in time.")

    def heard(self, seconds: float) -> set[UUID]:
        """Return the actions' reports that have changed, as soon as there are any, or after ``seconds`` at the latest.

        It may also return none early.
        """
        changed: set[UUID] = set()
        message = self._messages.get_message(timeout=min(seconds, _LONGEST_READ))
        while message and len(changed) < _MOST_AT_ONCE:
            if message["type"] == "message" and len(message["data"]) == _BYTES_OF_ID:
                changed.add(UUID(bytes=message["data"]))
            message = self._messages.get_message(timeout=0)
        return changed

    def close(self) -> None:
        """Hear no more."""
        self._messages.close()


@cache
def _client() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=_PATIENCE,
        socket_timeout=_PATIENCE,
        socket_keepalive=True,
        health_check_interval=5,
        retry=Retry(NoBackoff(), 0),
    )
