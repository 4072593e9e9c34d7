import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from stack.ports import LOCALHOST, PortTakenError, is_free
from stack.process import Server, wait_for
from stack.readiness import answers

_PORT_PATIENCE = 5.0  # seconds


class Web(Server):
    """The service's web server."""

    name = "web"

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        log: Path,
        port: int | None = None,
        processes: int = 1,
        threads: int = 96,
    ) -> None:
        super().__init__(log)
        self.reserve(port)
        self.url = f"http://{LOCALHOST}:{self.port}"
        self._environment = environment
        self._processes = processes
        self._threads = threads

    def environment(self) -> Mapping[str, str]:
        # Granian reads the variable as well as the service, which must not let too many clients wait.
        return {**self._environment, "GRANIAN_BLOCKING_THREADS": str(self._threads)}

    def prepare(self) -> None:
        """Wait for the port: a server that was killed is gone a moment before the system has closed all it held."""
        if not wait_for(lambda: is_free(self.port), _PORT_PATIENCE):
            raise PortTakenError(f"Port {self.port} is taken.")

    def command(self) -> Sequence[str]:
        return [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", LOCALHOST, "--port", str(self.port)),
            *("--workers", str(self._processes), "--workers-kill-timeout", "5", "config.wsgi:application"),
        ]

    @property
    def description(self) -> str:
        return self.url

    def is_ready(self) -> bool:
        return answers(self.port, "/health/live")
