import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from stack.ports import LOCALHOST, require_free
from stack.process import Server
from stack.readiness import answers


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
        threads: int = 8,
    ) -> None:
        super().__init__(log)
        self.reserve(port)
        self.url = f"http://{LOCALHOST}:{self.port}"
        self._environment = environment
        self._processes = processes
        self._threads = threads

    def environment(self) -> Mapping[str, str]:
        return self._environment

    def prepare(self) -> None:
        require_free(self.port)

    def command(self) -> Sequence[str]:
        return [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", LOCALHOST, "--port", str(self.port)),
            *("--workers", str(self._processes), "--blocking-threads", str(self._threads)),
            *("--workers-kill-timeout", "5", "config.wsgi:application"),
        ]

    @property
    def description(self) -> str:
        return self.url

    def is_ready(self) -> bool:
        return answers(self.port, "/")
