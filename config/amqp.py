"""Connections to RabbitMQ that never wait for ever: importing this gives them to every ``amqp://`` address."""

import errno
from typing import Any

from amqp.exceptions import ConsumerCancelled, RecoverableConnectionError
from kombu.transport import TRANSPORT_ALIASES, pyamqp

# Seconds that RabbitMQ may take for an answer: to a handshake, a declaration, a published message.
REPLY_TIMEOUT = 3.0


class ConsumerGoneError(ConsumerCancelled):
    """The queue of a consumer is gone, and so the consumer.

    It has the number of a lost connection: a worker that has just connected leaves errors without one aside
    (``celery.worker.loops._quick_drain``), and would be connected and take no message any more.
    """

    errno = errno.ECONNRESET


class Channel(pyamqp.Channel):
    """A channel whose consumers do not end in silence."""

    def _on_basic_cancel(self, consumer_tag: str) -> None:
        try:
            super()._on_basic_cancel(consumer_tag)  # type: ignore[misc]  # its types leave it out
        except ConsumerCancelled as error:
            raise ConsumerGoneError(error.reply_text, error.method_sig) from error


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
