import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from stack.process import Service


class Worker(Service):
    """A Celery worker with its pool of processes."""

    name = "worker"
    grace = 20.0

    def __init__(self, environment: Mapping[str, str], *, log: Path, name: str = "worker", processes: int = 2) -> None:
        super().__init__(log)
        self.name = name
        self._environment = environment
        self._processes = processes

    def environment(self) -> Mapping[str, str]:
        # Its readiness is read from its log.
        return {**self._environment, "LOG_LEVEL": "INFO"}

    def command(self) -> Sequence[str]:
        return [
            *(sys.executable, "-m", "celery", "-A", "config", "worker", "--hostname", f"{self.name}@%h"),
            *("--concurrency", str(self._processes), "--without-gossip", "--without-mingle", "--without-heartbeat"),
        ]

    @property
    def description(self) -> str:
        return f"Celery, {self._processes} processes"

    def is_ready(self) -> bool:
        return re.search(rf"\b{self.name}@\S+ ready\.", self.log_text()) is not None
