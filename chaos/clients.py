"""Clients of the service: they ask for actions, poll them, cancel some and resume some, whatever does not answer."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from threading import Event
from typing import Any
from uuid import UUID

import httpx

from chaos.load import Wish, wishes
from chaos.observations import Observations
from reports.models import FINAL, Status

_AT_ONCE = 6  # actions of one client that are under way
_PAUSE = 0.1  # seconds
_TIMEOUT = 10.0


@dataclass(slots=True)
class _Pursuit:
    """An accepted action, and what its client still wants of it."""

    root: UUID
    cancel_at: float | None
    resumes_left: int


class Client:
    """One client. It takes for accepted what was answered by 202; until then an action may have been accepted, or not.

    ``unheard`` counts the requests that got no answer, or one of a server that could do nothing.
    """

    def __init__(self, seed: str, webs: Sequence[str], token: str, seen: Observations) -> None:
        self.unheard = 0
        self._seed = seed
        self._webs = webs
        self._seen = seen
        self._choose = Random(f"web servers of {seed}").choice
        self._http = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=_TIMEOUT, trust_env=False)
        self._pursued: list[_Pursuit] = []

    def work(self, stop: Event) -> None:
        """Ask for one action after the other until told to stop; for each again and again until there is an answer."""
        with self._http:
            for number, wish in enumerate(wishes(self._seed)):
                while len(self._pursued) >= _AT_ONCE or not self._request(wish, f"{self._seed}.{number}"):
                    if not self._look_after_all(stop):
                        return
                if not self._look_after_all(stop):
                    return

    def _request(self, wish: Wish, path: str) -> bool:
        """Ask for an action, whose path is the key by which it is accepted once. Returns whether there is an answer."""
        body = {"canvas": wish.canvas, "path": path}
        answer = self._send("POST", "/actions/trial", json=body, params=wish.query, headers={"Idempotency-Key": path})
        if answer is None:
            return False
        if answer.status_code == httpx.codes.ACCEPTED:
            root = UUID(answer.json()["id"])
            self._seen.accept(root, expected=wish.result)
            cancel_at = None if wish.cancel_after is None else time.monotonic() + wish.cancel_after
            self._pursued.append(_Pursuit(root, cancel_at, wish.resumes))
        return True

    def _look_after_all(self, stop: Event) -> bool:
        """Look once after each action that is under way, and pause. Returns whether to go on."""
        self._pursued = [pursuit for pursuit in self._pursued if stop.is_set() or not self._is_done_with(pursuit)]
        return not stop.wait(_PAUSE)

    def _is_done_with(self, pursuit: _Pursuit) -> bool:
        if pursuit.cancel_at and time.monotonic() > pursuit.cancel_at:
            pursuit.cancel_at = None
            self._hear(self._send("POST", f"/reports/{pursuit.root}/cancel"))
        body = self._hear(self._send("GET", f"/reports/{pursuit.root}"))
        if body is None or body["status"] not in FINAL:
            return False
        if body["status"] == Status.OK or not pursuit.resumes_left:
            return True
        self._resume(pursuit)
        return False

    def _resume(self, pursuit: _Pursuit) -> None:
        pursuit.resumes_left -= 1
        resume = self._seen.ask_to_resume(pursuit.root)
        answer = self._send("POST", f"/reports/{pursuit.root}/retry")
        if answer is None:
            return
        if answer.status_code == httpx.codes.ACCEPTED:
            resume.answered_at = time.time()
        resume.is_refused = answer.is_client_error

    def _hear(self, answer: httpx.Response | None) -> dict[str, Any] | None:
        if answer is None or answer.status_code != httpx.codes.OK:
            return None
        body: dict[str, Any] = answer.json()
        self._seen.hear(body)
        return body

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response | None:
        """Return the answer to a request, from any web server; ``None`` without one that says what became of it."""
        with suppress(httpx.HTTPError):
            answer = self._http.request(method, f"{self._choose(self._webs)}{path}", **request)
            if not answer.is_server_error:
                return answer
        self.unheard += 1
        return None


def ask_for_all(roots: Sequence[UUID], web: str, token: str, seen: Observations) -> Iterator[UUID]:
    """Get each of these actions' reports as its client. Returns those that are not there."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=web, headers=headers, timeout=_TIMEOUT, trust_env=False) as client:
        for root in roots:
            answer = client.get(f"/reports/{root}")
            if answer.status_code != httpx.codes.OK:
                yield root
            else:
                seen.hear(answer.json())
