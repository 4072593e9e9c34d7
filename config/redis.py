"""Connections to Redis that keep no books about what a worker has in hand: importing this gives them to every address.

Kombu writes each message that it takes into two more keys, and takes it out again, so that the messages of a worker
that dies come back after an hour. The ledger has them back in seconds, as it does whatever else a broker loses; and a
message that is lost only by its worker's main process is no worse than that. The books were a third of what the main
process did: 1.1 of 3.3 ms of processor time for an action of two tasks, with Valkey's part.

And a broker that answers and refuses, because its disk is full or it has become a replica, is away for a while. Celery
would take its answer for a fault of the worker's own, and end it.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis, virtual
from redis.exceptions import ResponseError

logger = logging.getLogger(__name__)


_VirtualQoS: Any = virtual.QoS  # its types leave half of it out
_RedisChannel: Any = redis.Channel


class QoS(_VirtualQoS):  # type: ignore[misc]
    """What a worker has in hand, in its memory alone: as much as it may take at once."""

    def restore_unacked(self) -> list[Any]:
        """Give back what was not begun, for other workers. A broker that does not take it is no reason to wait."""
        self._flush()
        try:
            for message in self._delivered.values():
                self.channel._restore(message)  # noqa: SLF001  as Kombu's own does
        except self.channel.connection_errors as error:
            logger.info("The broker takes nothing back, recovery will publish it again: %s", error)
        self._delivered.clear()
        return []


class Channel(_RedisChannel):  # type: ignore[misc]
    ack_emulation = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._kept: Any = None
        super().__init__(*args, **kwargs)
        self.QoS = QoS

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        """Give a client of this channel: the same one as long as its connections last; Kombu makes one each time."""
        if client is None and (self._kept is None or self._kept.connection_pool is not self.pool):
            self._kept = self._create_client()
        yield client or self._kept


class Transport(redis.Transport):
    Channel = Channel
    connection_errors = (*redis.Transport.connection_errors, ResponseError)


class SentinelChannel(redis.SentinelChannel, Channel):  # type: ignore[misc]
    pass


class SentinelTransport(redis.SentinelTransport):
    Channel = SentinelChannel
    connection_errors = (*redis.SentinelTransport.connection_errors, ResponseError)


TRANSPORT_ALIASES["redis"] = f"{__name__}:Transport"
TRANSPORT_ALIASES["rediss"] = f"{__name__}:Transport"
TRANSPORT_ALIASES["sentinel"] = f"{__name__}:SentinelTransport"
