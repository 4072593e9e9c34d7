"""The broker as one who reads everything in it sees it."""

import json
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings


@dataclass(frozen=True)
class Message:
    """One message, decoded, and its ``raw`` text."""

    raw: str
    queue: str

    @property
    def headers(self) -> dict[str, Any]:
        return json.loads(self.raw)["headers"]

    @property
    def properties(self) -> dict[str, Any]:
        return json.loads(self.raw)["properties"]

    @property
    def task(self) -> tuple[str, str]:
        """The name of the task and the id of the report."""
        return self.headers["task"], self.headers["id"]


def messages() -> list[Message]:
    """Return every message in the broker, oldest first in each queue."""
    with redis.Redis.from_url(settings.BROKER_URL, decode_responses=True) as client:
        queues = sorted(key for key in client.scan_iter() if client.type(key) == "list")
        return [Message(raw, queue) for queue in queues for raw in reversed(client.lrange(queue, 0, -1))]


def empty() -> None:
    """Take everything out of the broker."""
    with redis.Redis.from_url(settings.BROKER_URL) as client:
        client.flushdb()
