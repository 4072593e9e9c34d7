"""Connections to RabbitMQ that never wait for ever: importing this gives them to every ``amqp://`` address."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from amqp.exceptions import ConsumerCancelled, NotFound, RecoverableConnectionError
from kombu.transport import TRANSPORT_ALIASES, pyamqp

# Seconds that RabbitMQ may take for an answer: to a handshake, a declaration, a published message.
REPLY_TIMEOUT = 3.0


class QueueGoneError(RecoverableConnectionError):
    """A queue that was there a moment ago is gone, and who consumes from it with it.

    It counts as a lost connection: a worker connects again, and declares its queues again. RabbitMQ calls it an error
    of the channel, and those end a worker, as they should where its configuration is wrong.

    It has the number of a lost connection, too: a worker that has just connected leaves errors without one aside
    (``celery.worker.loops._quick_drain``), and would be connected and take no message any more.
    """

    errno = errno.ECONNRESET


class Channel(pyamqp.Channel):
    """A channel whose consumers neither end in silence nor end their worker, where somebody deletes its queue."""

    def queue_bind(self, *args: Any, **kwargs: Any) -> Any:
        """Bind a queue, which was just declared."""
        with _queue_expected():
            return super().queue_bind(*args, **kwargs)

    def basic_consume(self, *args: Any, **kwargs: Any) -> Any:
        """Start to consume from a queue, which was just declared."""
        with _queue_expected():
            return super().basic_consume(*args, **kwargs)

    def _on_basic_cancel(self, consumer_tag: str) -> None:
        try:
            super()._on_basic_cancel(consumer_tag)  # type: ignore[misc]  # its types leave it out
        except ConsumerCancelled as error:
            raise QueueGoneError(error.reply_text, error.method_sig) from error


@contextmanager
def _queue_expected() -> Iterator[None]:
    try:
        yield
    except NotFound as error:
        raise QueueGoneError(error.reply_text, error.method_sig, reply_code=error.reply_code) from error


class PromptConnection(pyamqp.Connection):
    """A connection that is given up when an answer takes too long.

    Its library would wait for a silent server for ever, and after a time-out once more, to say good-bye.
    """

    Channel = Channel

    def connect(self, *args: Any, **kwargs: Any) -> Any:
        """Connect; reads and writes without a time-out of their own have one from now on."""
        connected = super().connect(*args, **kwargs)
        self.transport.sock.settimeout(REPLY_TIMEOUT)
        return connected

    def blocking_read(self, timeout: float | None = None) -> Any:
        """Read what comes next. A consumer waits with a time-out of its own, and may wait in vain."""
        try:
            return super().blocking_read(timeout)
        except TimeoutError as error:
            if timeout is not None:
                raise
            self.collect()
            raise RecoverableConnectionError(f"RabbitMQ has not answered for {REPLY_TIMEOUT:g} seconds.") from error


class Transport(pyamqp.Transport):
    Connection = PromptConnection


class SSLTransport(pyamqp.SSLTransport):
    Connection = PromptConnection


TRANSPORT_ALIASES["amqp"] = f"{__name__}:Transport"
TRANSPORT_ALIASES["amqps"] = f"{__name__}:SSLTransport"
