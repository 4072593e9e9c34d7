"""Clients that never stop asking, behind a load balancer that knows which web servers take requests."""

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx

from chaos.trials import Canvas
from stack.web import Web
from tests.guarantees.ground import ProvingGround

_CLIENTS = 3
_PAUSE = 0.02  # seconds


class Traffic:
    """Clients that submit a trial, read it and wait for it a while, again and again, at the web servers in rotation."""

    def __init__(self, ground: ProvingGround, canvas: Canvas, webs: Sequence[Web]) -> None:
        self.accepted: list[UUID] = []
        self.refused: list[str] = []
        self._ground = ground
        self._canvas = canvas
        self._in_rotation = list(webs)
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n,), daemon=True) for n in range(_CLIENTS)]
        self._token = ground.stack.token()

    def add(self, web: Web) -> None:
        """Have requests come to a web server, too."""
        self._in_rotation = [*self._in_rotation, web]

    def remove(self, web: Web) -> None:
        """Have no new requests come to a web server. Those under way are left to it."""
        self._in_rotation = [other for other in self._in_rotation if other is not web]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        asked = 0
        with httpx.Client(headers={"Authorization": f"Bearer {self._token}"}, timeout=30, trust_env=False) as client:
            while not self._stopped.wait(_PAUSE):
                path = f"{self._ground.key}.{number}-{asked}"
                answer = self._send(client, "POST", "/actions/trial", json={"canvas": self._canvas, "path": path})
                if answer is not None:
                    self.accepted.append(UUID(answer["id"]))
                    wait = {"Prefer": "wait=1"} if asked % 3 == 0 else {}
                    self._send(client, "GET", f"/reports/{answer['id']}", headers=wait)
                asked += 1

    def _send(self, client: httpx.Client, method: str, path: str, **request: Any) -> Any:
        web = self._in_rotation[len(self.accepted) % len(self._in_rotation)]
        try:
            answer = client.request(method, f"{web.url}{path}", **request)
        except httpx.HTTPError as error:
            self.refused.append(f"{method} at {web.name}: {error!r}")
            return None
        if answer.status_code not in (httpx.codes.OK, httpx.codes.ACCEPTED):
            self.refused.append(f"{method} at {web.name}: {answer.status_code} {answer.text}")
            return None
        return answer.json()
