"""The proving ground: the whole service in real processes, actions whose tasks testify, and the audit of four zeros."""

import signal
import sqlite3
import time
from collections.abc import Callable, Collection
from contextlib import closing
from typing import Any
from uuid import UUID, uuid4

import httpx
from django.conf import settings
from django.db import connection

from chaos import gates, ledger, witness
from chaos.audit import Audit, audit
from chaos.observations import Observations
from chaos.trials import RERUNS, Canvas
from chaos.witness import Entry, Event
from config import celery_app
from reports import selectors
from reports.models import AsyncActionReport, Kind, Status
from reports.selectors import Report
from stack.process import Service, wait_for
from stack.web import Web
from stack.worker import Worker
from tests.live import LiveStack

_PATIENCE = 60.0  # seconds; far more than anything here takes on an idle machine


class ProvingGround:
    """What a test does to the service, and what it sees of it."""

    def __init__(self, stack: LiveStack) -> None:
        self.stack = stack
        self.key = uuid4().hex
        self.seen = Observations()
        self._client = stack.client()
        self._requested = 0
        self._gates: set[str] = set()

    def close(self) -> None:
        """Let go of all who still wait at a gate, and of the web server."""
        for gate in self._gates:
            gates.open_gate(gate)
        self._client.close()

    def post(self, canvas: Canvas, **query: Any) -> httpx.Response:
        """Ask for a trial; its path is the key and its number. Takes note of it when it is accepted."""
        path = f"{self.key}.{self._requested}"
        self._requested += 1
        answer = self._client.post("/actions/trial", json={"canvas": canvas, "path": path}, params=query)
        if answer.status_code == httpx.codes.ACCEPTED:
            self.seen.accept(UUID(answer.json()["id"]))
        return answer

    def request(self, canvas: Canvas, **query: Any) -> UUID:
        """Have a trial accepted. Returns its report's id."""
        answer = self.post(canvas, **query)
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return UUID(answer.json()["id"])

    def report(self, root: UUID) -> Report:
        """Return a report as its readers see it."""
        report = selectors.find(root, owner=None)
        assert report is not None
        return report

    def tasks(self, root: UUID) -> list[AsyncActionReport]:
        """Return the reports of an action's tasks, in the order they were planned."""
        return list(AsyncActionReport.objects.filter(root_id=root, kind=Kind.TASK).order_by("id"))

    def open(self, gate: str) -> None:
        """Let the tasks go on that wait at a gate of this test."""
        gates.open_gate(self.gate(gate))

    def gate(self, name: str) -> str:
        """Return a gate's name among those of all tests."""
        gate = f"{self.key}.{name}"
        self._gates.add(gate)
        return gate

    def await_gate(self, root: UUID) -> None:
        """Wait until nothing of an action can go on but one task, which stands at a gate."""
        self.wait_until(lambda: self._stands_at_gate(root))

    def _stands_at_gate(self, root: UUID) -> bool:
        begun = [task for task in self.tasks(root) if task.dispatched_at and task.status in ("pending", "running")]
        deeds = begun[0].arguments["kwargs"].get("deeds", {}) if len(begun) == 1 else {}
        return "gate" in deeds and begun[0].status == Status.RUNNING

    def await_events(self, event: Event, number: int) -> None:
        """Wait until tasks of this test have testified to so many events of a kind."""
        self.wait_until(lambda: witness.count(event, self.key) >= number)

    def begun(self, task: UUID) -> list[Entry]:
        """Return what a task testified each time it began."""
        return [entry for entry in witness.entries(self.key) if entry.task == task and entry.event == "begins"]

    def process_of(self, task: UUID) -> int:
        """Return the process that began with a task last."""
        return self.begun(task)[-1].process

    def client_of(self, web: Web) -> httpx.Client:
        """Return a client of another web server."""
        client = self.stack.client()
        client.base_url = httpx.URL(web.url)
        return client

    def count(self, event: Event) -> int:
        """Return how often something happened to tasks of this test."""
        return witness.count(event, self.key)

    def wait_until(self, condition: Callable[[], bool], *, seconds: float = _PATIENCE) -> None:
        """Wait for a condition."""
        assert wait_for(condition, seconds), f"Not within {seconds:g} s.\n{self.stack.worker.log_tail(40)}"

    def await_taken(self) -> None:
        """Wait until the worker has taken every message."""
        self.wait_until(lambda: not self.stack.broker.count_messages(settings.TASK_DEFAULT_QUEUE))

    def tasks_begun(self) -> set[UUID]:
        """Return the tasks of this test that have begun."""
        return {entry.task for entry in witness.entries(self.key) if entry.event == "begins"}

    def rows(self, root: UUID) -> list[AsyncActionReport]:
        """Return every report of an action."""
        return list(AsyncActionReport.objects.filter(root_id=root).order_by("id"))

    def await_end(self, worker: Worker) -> None:
        """Wait until a worker has ended by itself; where it does not, show what its threads do."""
        if not wait_for(lambda: not worker.is_running, _PATIENCE):
            worker.signal(signal.SIGABRT)
            wait_for(lambda: not worker.is_running, _PATIENCE)
            raise AssertionError(f"It has not ended within {_PATIENCE:g} s.\n{worker.log_tail(200)}")

    def keep_worker(self) -> None:
        """Start the worker again whenever it has ended, as an orchestrator does, until every report is final."""
        worker = self.stack.worker
        while self.unfinished():
            self.wait_until(lambda: not worker.is_running or not self.unfinished())
            if not worker.is_running:
                worker.finish(0)
                worker.start()

    def settle(self, roots: Collection[UUID] | None = None) -> None:
        """Wait until every report of the ledger, or of some actions, is final, and take note of what was seen."""
        self.look()
        assert wait_for(lambda: not ledger.unfinished(roots), _PATIENCE), (
            f"{ledger.unfinished(roots)}\n{self.stack.worker.log_tail(40)}"
        )
        self.look()

    def unfinished(self) -> int:
        """Return how many reports are not final."""
        return len(ledger.unfinished())

    def look(self) -> None:
        """Take note of every outcome that is there by now."""
        self.seen.see(ledger.finished())

    def resume(self, root: UUID) -> None:
        """Have an action resumed, as its client."""
        resume = self.seen.ask_to_resume(root)
        answer = self._client.post(f"/reports/{root}/retry")
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        resume.answered_at = time.time()

    def cancel(self, root: UUID) -> None:
        """Have an action cancelled, as its client."""
        answer = self._client.post(f"/reports/{root}/cancel")
        assert answer.status_code == httpx.codes.OK, answer.text

    def audit(self) -> Audit:
        """Return what the audit finds in the ledger as it is."""
        return audit(self.seen, witness.entries(self.key), RERUNS)

    def assert_four_zeros(self) -> None:
        """Wait until everything is final; then see that nothing was lost, left, run twice or overwritten."""
        self.settle()
        found = self.audit()
        assert found.is_clean, found

    def assert_ok(self, root: UUID, result: Any) -> None:
        """See that an action has come to its result."""
        report = self.report(root)
        assert (report.status, report.result, report.error) == (Status.OK, result, None)

    def publish(self, task: UUID, *, times: int = 1, name: str = "") -> None:
        """Write messages for a task by hand."""
        name = name or AsyncActionReport.objects.get(id=task).task
        with celery_app.connection_for_write(self.stack.environment["BROKER_URL"]) as connection:
            for _ in range(times):
                celery_app.send_task(name, task_id=str(task), connection=connection)

    def freeze(self, service: Service) -> None:
        """Freeze a service. Not while it writes to SQLite: it would keep the one lock that there is."""
        service.pause()
        while connection.vendor == "sqlite" and not _is_writable():
            service.resume()
            time.sleep(0.01)
            service.pause()

    def wipe_broker(self) -> None:
        """Have the broker forget everything."""
        self.stack.broker.forget(settings.TASK_DEFAULT_QUEUE)


def _is_writable() -> bool:
    with closing(sqlite3.connect(settings.DATABASES["default"]["NAME"], timeout=0.2, isolation_level=None)) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
    return True
