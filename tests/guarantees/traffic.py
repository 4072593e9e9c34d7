"""Clients that never stop asking, behind a load balancer that knows which web servers take requests."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx

from chaos.trials import Canvas
from stack.web import Web
from tests.guarantees.ground import ProvingGround

_CLIENTS = 3
_PAUSE = 0.02  # seconds
_LONG_ENOUGH = 60.0  # seconds until whatever a web server was asked is answered


class Traffic:
    """Clients that submit a trial and read it, again and again, at the web servers in rotation.

    They wait for the end of one in three, so that they never ask for much more than the workers get done.
    """

    def __init__(self, ground: ProvingGround, canvas: Canvas, webs: Sequence[Web]) -> None:
        self.accepted: list[UUID] = []
        self.refused: list[str] = []
        self._ground = ground
        self._canvas = canvas
        self._in_rotation = list(webs)
        self._under_way: Counter[Web] = Counter()
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n,), daemon=True) for n in range(_CLIENTS)]
        self._token = ground.stack.token()

    def add(self, web: Web) -> None:
        """Have requests come to a web server, too."""
        with self._changed:
            self._in_rotation.append(web)

    def remove(self, web: Web) -> None:
        """Have no new requests come to a web server, and wait until those that came are answered.

        So does an orchestrator before it ends one, by a pause that is long enough: ``preStop`` in deploy/kubernetes.
        """
        with self._changed:
            self._in_rotation.remove(web)
            assert self._changed.wait_for(lambda: not self._under_way[web], _LONG_ENOUGH)

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
                    wait = {"Prefer": "wait=10"} if asked % 3 == 0 else {}
                    self._send(client, "GET", f"/reports/{answer['id']}", headers=wait)
                asked += 1

    def _send(self, client: httpx.Client, method: str, path: str, **request: Any) -> Any:
        with self._one_in_rotation() as web:
            try:
                answer = client.request(method, f"{web.url}{path}", **request)
            except httpx.HTTPError as error:
                self.refused.append(f"{method} at {web.name}: {error!r}")
                return None
            if answer.status_code not in (httpx.codes.OK, httpx.codes.ACCEPTED):
                self.refused.append(f"{method} at {web.name}: {answer.status_code} {answer.text}")
                return None
            return answer.json()

    @contextmanager
    def _one_in_rotation(self) -> Iterator[Web]:
        with self._changed:
            web = self._in_rotation[len(self.accepted) % len(self._in_rotation)]
            self._under_way[web] += 1
        try:
            yield web
        finally:
            with self._changed:
                self._under_way[web] -= 1
                self._changed.notify_all()
