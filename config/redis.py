"""Connections to Redis that give a message up that cannot be acknowledged: importing this gives them to every address.

Kombu would count such a message as one that its worker has in hand. With as many as it may have, a worker takes no more
and does not even look at its connection any more: it would wait for ever beside a broker that is back.
"""

from kombu.transport import TRANSPORT_ALIASES, redis, virtual


class ForgivingQoS(redis.QoS):
    """What a worker has in hand. That the broker may deliver a message once more is harmless: it cannot be claimed."""

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge a message. It is not in hand any more, whether the broker has heard that or not."""
        try:
            super().ack(delivery_tag)
        finally:
            virtual.QoS.ack(self, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002  the signature is Kombu's
        """Reject a message; the same holds."""
        try:
            super().reject(delivery_tag, requeue=requeue)
        finally:
            virtual.QoS.ack(self, delivery_tag)


class Channel(redis.Channel):
    QoS = ForgivingQoS


class Transport(redis.Transport):
    Channel = Channel


class SentinelChannel(redis.SentinelChannel):
    QoS = ForgivingQoS


class SentinelTransport(redis.SentinelTransport):
    Channel = SentinelChannel


TRANSPORT_ALIASES["redis"] = f"{__name__}:Transport"
TRANSPORT_ALIASES["rediss"] = f"{__name__}:Transport"
TRANSPORT_ALIASES["sentinel"] = f"{__name__}:SentinelTransport"
