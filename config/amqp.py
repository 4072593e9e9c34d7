"""Connections to RabbitMQ that never wait for ever: importing this gives them to every ``amqp://`` address."""

from typing import Any

from amqp.exceptions import RecoverableConnectionError
from kombu.transport import TRANSPORT_ALIASES, pyamqp

# Seconds that RabbitMQ may take for an answer: to a handshake, a declaration, a published message.
REPLY_TIMEOUT = 3.0


class PromptConnection(pyamqp.Connection):
    """A connection that is given up when an answer takes too long.

    Its library would wait for a silent server for ever, and after a time-out once more, to say good-bye.
    """

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
