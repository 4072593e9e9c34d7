import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import amqp
from amqp.exceptions import NotFound

from stack.ports import LOCALHOST, Port
from stack.process import Server

_PATIENCE = 5.0  # seconds
# Debian's command of that name runs it as a user of its own, with that user's folders.
_PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server"
# The name server that Erlang would start as a daemon of its own, in the foreground and so in our process group.
_SCRIPT = 'epmd -address 127.0.0.1 -port "$ERL_EPMD_PORT" & exec "$0"'


class RabbitMQ(Server):
    """A RabbitMQ of one's own, the program from the system's packages."""

    name = "rabbitmq"
    patience = 60.0

    def __init__(self, folder: Path, *, log: Path, port: int | None = None) -> None:
        super().__init__(log)
        self.folder = folder
        self.reserve(port)
        self._inner_ports = [Port.any(), Port.any()]

    @staticmethod
    def is_installed() -> bool:
        """Tell whether the system has it."""
        return shutil.which(_PROGRAM) is not None

    @property
    def url(self) -> str:
        """Return its address."""
        return f"amqp://guest:guest@{LOCALHOST}:{self.port}//"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def environment(self) -> Mapping[str, str]:
        distribution, names = self._inner_ports
        return {
            **os.environ,
            "HOME": str(self.folder),
            "ERL_EPMD_PORT": str(names.number),
            "RABBITMQ_NODENAME": f"async_actions_{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": LOCALHOST,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(distribution.number),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_CONFIG_FILES": str(self.folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_SERVER_START_ARGS": "-setcookie of-one-run",
        }

    def command(self) -> Sequence[str]:
        return ["sh", "-c", _SCRIPT, _PROGRAM]

    def forget(self, queue: str) -> None:
        """Delete a queue with all its messages. Raises OSError when it is away."""
        with self._connected(_PATIENCE) as connection, suppress(NotFound):
            connection.channel().queue_delete(queue)

    def count_messages(self, queue: str) -> int:
        """Return how many messages wait in a queue, which need not exist. Raises OSError when it is away."""
        with self._connected(_PATIENCE) as connection, suppress(NotFound):
            declared = connection.channel().queue_declare(queue, passive=True)
            return int(declared[1]) if declared else 0
        return 0

    def _connected(self, seconds: float) -> amqp.Connection:
        return amqp.Connection(f"{LOCALHOST}:{self.port}", connect_timeout=seconds, read_timeout=seconds)

    @property
    def description(self) -> str:
        return f"amqp://{LOCALHOST}:{self.port}"

    def is_ready(self) -> bool:
        try:
            with self._connected(2):
                return True
        except OSError:
            return False
