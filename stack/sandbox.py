import http.client
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from stack.ports import LOCALHOST, Port
from stack.process import Service

API_KEY = "sandbox-key"


class SandboxServer(Service):
    """The InvoicesPlus that the example actions call, with faults that can be switched on."""

    name = "sandbox"

    def __init__(self, environment: Mapping[str, str], *, log: Path, port: Port | None = None) -> None:
        super().__init__(log)
        self.port = (port or Port.any()).number
        self.url = f"http://{LOCALHOST}:{self.port}"
        self._environment = environment

    def environment(self) -> Mapping[str, str]:
        return {**self._environment, "INVOICES_PLUS_API_KEY": API_KEY}

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "sandbox", "--host", LOCALHOST, "--port", str(self.port)]

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection(LOCALHOST, self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
