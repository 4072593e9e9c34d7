"""What a client makes of answers, and of none: a server that answers as it is told stands for a service that dies."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from uuid import UUID, uuid4

import pytest

from chaos.clients import Client, ask_for_all
from chaos.observations import Observations

ROOT = uuid4()
FINAL = {"id": str(ROOT), "status": "failed", "retries": 0, "result": None, "finished_at": "2026-11-24T00:00:00Z"}
Answer = tuple[int, Any] | None  # none: the connection breaks


class Service(ThreadingHTTPServer):
    """Answers POST /actions/…, /reports/…/cancel and /retry, and GET, by what it is given for them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.keys: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self._answer("report")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        what = self.path.partition("?")[0].rpartition("/")[2]
        if what == "trial":
            self.server.keys.append(self.headers["Idempotency-Key"])
        self._answer("request" if what == "trial" else what)

    def _answer(self, what: str) -> None:
        self.server.asked.append(what)
        answer = self.server.answers[what]
        if answer is not None:
            status, body = answer
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def work(service: Service, until: Callable[[Client, Observations], bool], **answers: Answer) -> Observations:
    """Have a client work until a condition holds, on a service that gives these answers."""
    service.answers = answers
    seen = Observations()
    client = Client("seed", [service.url], "token", seen)
    stop = Event()
    thread = Thread(target=client.work, args=(stop,))
    thread.start()
    while not until(client, seen) and thread.is_alive():
        stop.wait(0.01)
    stop.set()
    thread.join()
    assert until(client, seen)
    return seen


@pytest.mark.parametrize("answer", [None, (500, {}), (503, {})], ids=["none", "500", "503"])
def test_a_request_that_is_not_answered_is_not_accepted(service: Service, answer: Answer) -> None:
    seen = work(service, lambda client, _: client.unheard >= 3, request=answer)
    assert not seen.accepted
    assert set(service.keys) == {"seed.0"}  # it is repeated


def test_a_request_that_is_refused_is_not_accepted(service: Service) -> None:
    seen = work(service, lambda *_: len(service.asked) > 1, request=(400, {}))
    assert not seen.accepted
    assert service.keys[:2] == ["seed.0", "seed.1"]


def test_a_202_is_accepted(service: Service) -> None:
    running = {**FINAL, "status": "running"}
    seen = work(service, lambda *_: "report" in service.asked, request=(202, FINAL), report=(200, running), cancel=None)
    assert seen.accepted == {ROOT}
    assert seen.expected.keys() == {ROOT}


@pytest.mark.parametrize(
    ("answer", "answered", "refused"),
    [((202, FINAL), True, False), (None, False, False), ((500, {}), False, False), ((409, {}), False, True)],
    ids=["202", "none", "500", "409"],
)
def test_a_resume_may_be_heard_unless_it_is_refused(
    service: Service, answer: Answer, answered: bool, refused: bool
) -> None:
    answers: dict[str, Answer] = {"request": (202, FINAL), "report": (200, FINAL), "cancel": None, "retry": answer}
    seen = work(service, lambda _, seen: len(seen.resumes.get(ROOT, [])) > 1, **answers)
    resume = seen.resumes[ROOT][0]
    assert (resume.answered_at is not None, resume.is_refused) == (answered, refused)


@pytest.mark.parametrize(("answer", "gone"), [((200, FINAL), []), ((404, {}), [ROOT])])
def test_all_that_was_accepted_is_asked_for_in_the_end(service: Service, answer: Answer, gone: list[UUID]) -> None:
    service.answers = {"report": answer}
    assert list(ask_for_all([ROOT], service.url, "token", Observations())) == gone
