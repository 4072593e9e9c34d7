import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from stack.ports import LOCALHOST
from stack.process import Server
from stack.readiness import answers

API_KEY = "sandbox-key"


class SandboxServer(Server):
    """The InvoicesPlus that the example actions call, with faults that can be switched on."""

    name = "sandbox"

    def __init__(
        self, environment: Mapping[str, str], *, log: Path, port: int | None = None, journal: Path | None = None
    ) -> None:
        super().__init__(log)
        self._journal = journal
        self.reserve(port)
        self.url = f"http://{LOCALHOST}:{self.port}"
        self._environment = environment

    def environment(self) -> Mapping[str, str]:
        return {**self._environment, "INVOICES_PLUS_API_KEY": API_KEY}

    def command(self) -> Sequence[str]:
        journal = ("--journal", str(self._journal)) if self._journal else ()
        return [sys.executable, "-m", "sandbox", "--host", LOCALHOST, "--port", str(self.port), *journal]

    @property
    def description(self) -> str:
        return self.url

    def is_ready(self) -> bool:
        return answers(self.port, "/health")
