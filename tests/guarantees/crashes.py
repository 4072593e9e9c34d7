"""A service in one process that dies, or is disturbed, at a moment of choice.

Moments are those before and after each statement, commit and publishing. They are found by wrapping the database and
the publisher, so that there are as many as the code has; who counts them in a first run can choose each in turn.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

from billiard.pool import SIG_SOFT_TIMEOUT, soft_timeout_sighandler
from django.db import OperationalError, connection

from chaos import ledger, trials
from chaos.audit import audit
from chaos.observations import Observations
from chaos.trials import RERUNS, Canvas
from chaos.witness import Entry
from config import celery_app
from reports import claiming, execution, selectors
from reports.acceptance import Accepted
from reports.attempts import Claim
from reports.errors import ReportFinalError, ReportNotRetryableError
from reports.models import AsyncActionReport, Status
from reports.requests import ANY_TIME, Identity, Request, Timing
from services import actions, recovery
from services.dispatch import publish
from tasks.canvas import plan_of
from testing.delivery import deliver

_PASSES = 100


class Death(BaseException):
    """The process is gone. Nobody catches it, and what it has not committed is rolled back."""


class Moments:
    """Counts the moments of a process, and does at one of them what was ordered."""

    def __init__(self, chosen: int | None, disturb: Callable[[str], None]) -> None:
        self._chosen = chosen
        self._disturb = disturb
        self.names: list[str] = []
        self.is_dead = False
        self._unnoticed = False

    def pass_by(self, name: str) -> None:
        """Be at a moment. A process that has died gets nothing done any more, in no ``finally`` either."""
        if self._unnoticed:
            return
        if self.is_dead:
            raise Death
        self.names.append(name)
        if len(self.names) - 1 == self._chosen:
            self._disturb(name)

    @contextmanager
    def unnoticed(self) -> Iterator[None]:
        """Be an observer, who is no part of the service."""
        self._unnoticed = True
        try:
            yield
        finally:
            self._unnoticed = False

    def name_of(self, number: int) -> str:
        """Return a moment's name, also where this time everything was over before it."""
        return self.names[number] if number < len(self.names) else "none"

    def around(self, name: str, act: Callable[[], Any]) -> Any:
        """Do something between two moments."""
        self.pass_by(f"before {name}")
        outcome = act()
        self.pass_by(f"after {name}")
        return outcome


class World:
    """A database, a broker, clients, and processes that live one at a time.

    ``disturbance`` is what happens at the ``chosen`` moment: "death", "death and a wiped broker", "lost connection"
    (PostgreSQL's; the statement may have been heard, its answer is not), or "time limit", which strikes a task alone.
    """

    def __init__(self, disturbance: str = "", chosen: int | None = None) -> None:
        self.moments = Moments(chosen, lambda moment: self._disturb(disturbance, moment))
        self.length = 0  # moments of the scenario itself, once it was played
        self.seen = Observations()
        self.key = uuid4().hex
        self._testimony: list[Entry] = []
        self._messages: list[tuple[str, str]] = []
        self._is_running_task = False
        self._run_after_ok: list[str] = []

    # What clients do

    def request(self, canvas: Canvas, timing: Timing = ANY_TIME) -> UUID:
        """Have an action accepted; it is once this returns."""
        plan = plan_of(trials.signatures_of(canvas, f"{self.key}.{len(self.seen.accepted)}"))
        root = actions.request("trial", plan, parameters={}, requested_by=None, timing=timing)
        self.seen.accept(root)
        return root

    def request_by_key(self, client: int, *canvases: Canvas) -> None:
        """Have actions accepted together, each under a key of its own, as the API does."""
        requests = [
            Request.of(
                "trial",
                plan_of(trials.signatures_of(canvas, f"{self.key}.{at}")),
                parameters={},
                identity=Identity(str(at), fingerprint="0" * 64),
            )
            for at, canvas in enumerate(canvases)
        ]
        for outcome in actions.request_all(requests, requested_by=client):
            assert isinstance(outcome, Accepted)
            self.seen.accept(outcome.report)

    def cancel(self, root: UUID) -> None:
        """Have an action cancelled, unless it is too late."""
        with suppress(ReportFinalError):
            actions.cancel(root)

    def resume(self, root: UUID) -> None:
        """Have an action resumed, unless it goes on."""
        self.look()
        resume = self.seen.ask_to_resume(root)
        try:
            actions.retry(root)
        except ReportNotRetryableError:
            resume.is_refused = True
        else:
            resume.answered_at = time.time()

    # What workers do

    def work(self, limit: int | None = None) -> None:
        """Take messages, oldest first, and run their tasks: as many as there are, or a limit."""
        while self._messages and limit != 0:
            self.take()
            limit = None if limit is None else limit - 1

    def take(self) -> None:
        """Take one message, which is acknowledged at once, and run its task as a worker's child does."""
        name, id_ = self._messages.pop(0)
        with self.moments.unnoticed():
            was_done = AsyncActionReport.objects.filter(id=id_).filter(status=Status.OK).exists()
        begun = self._count_begun()
        self._is_running_task = True
        try:
            deliver(name, id_)
        finally:
            self._is_running_task = False
        if was_done and self._count_begun() > begun:
            self._run_after_ok.append(f"{name} {id_} was ok and began again")

    def recover(self, *, again: bool = False) -> None:
        """Do once what a worker's thread does, and run what is published; ``again`` delivers each message twice."""
        for duty in (recovery.publish_due, recovery.end_overdue, recovery.rescue_stale):
            duty()
        if not self._messages:
            recovery.republish_lost({celery_app.conf.task_default_queue})
        self._messages = [message for message in self._messages for _ in range(2 if again else 1)]
        self.work()

    def claim(self) -> Claim | None:
        """Take a message, if there is one, and claim its task for a worker that does nothing with it yet, or never."""
        if not self._messages:
            return None
        name, id_ = self._messages.pop(0)
        claim = claiming.claim(UUID(id_), task=name, worker=f"zombie {id_}")
        assert claim is not None
        self._testify(id_, claim.attempt, "begins", claim.kwargs["path"])
        return claim

    def finish(self, claim: Claim, result: int) -> None:
        """Have the worker that has claimed a task come to its end, as a task does."""
        self._testify(str(claim.id), claim.attempt, "ends", claim.kwargs["path"])
        publish(execution.succeed(claim, result))

    # What becomes of it

    def play(self, scenario: Callable[["World"], None]) -> None:
        """Let a scenario happen, up to the end or a death, and then everything be recovered."""
        with self._patched():
            with suppress(OperationalError), self._dying():  # a client is told of an error then
                scenario(self)
            connection.close()
            self.length = len(self.moments.names)
            self.look()
            for _ in range(_PASSES):
                if self._is_settled():
                    break
                self._recover_whatever_happens()
                self.look()

    def _recover_whatever_happens(self) -> None:
        # A disturbance may strike here too, where the scenario was shorter than at first. The thread goes on then.
        with suppress(OperationalError), self._dying():
            self.recover(again=True)
            return
        connection.close()

    def _is_settled(self) -> bool:
        with self.moments.unnoticed():
            return not ledger.unfinished()

    def look(self) -> None:
        """Take note of every outcome that is there."""
        with self.moments.unnoticed():
            self.seen.see(ledger.finished())

    def faults(self) -> str:
        """Return what is wrong with what became of it, in words; nothing where there are four zeros."""
        found = audit(self.seen, sorted(self._testimony), RERUNS)
        return "\n".join([*self._run_after_ok, *([] if found.is_clean else [str(found)])])

    def outcomes(self) -> list[tuple[str, Any, str]]:
        """Return status, result and error code of all actions, in the order they were accepted."""
        roots = AsyncActionReport.objects.filter(parent=None).order_by("id").values_list("id", flat=True)
        reports = [report for root in roots if (report := selectors.find(root, owner=None))]
        return [(report.status, report.result, report.error.code if report.error else "") for report in reports]

    def _count_begun(self) -> int:
        return sum(entry.event == "begins" for entry in self._testimony)

    def _testify(self, task: str, attempt: int, event: Any, path: str) -> None:
        at = time.clock_gettime(time.CLOCK_REALTIME)
        self._testimony.append(Entry(at, UUID(task), attempt, event, path, process=0))
        self.moments.pass_by(f"in the task: {event}")

    # Wrapping

    def _disturb(self, disturbance: str, moment: str) -> None:
        if disturbance == "time limit":
            if self._is_running_task:
                signal.raise_signal(SIG_SOFT_TIMEOUT)
        elif disturbance == "lost connection":
            if moment.startswith("in the task"):
                return
            if connection.connection:
                connection.connection.close()
            raise OperationalError("the connection was lost")
        elif disturbance:
            self.moments.is_dead = True
            if connection.connection:
                connection.connection.rollback()  # as the database does; Django does not between a commit's halves
            if "wiped" in disturbance:
                self._messages.clear()
            raise Death

    @contextmanager
    def _dying(self) -> Iterator[None]:
        try:
            yield
        except Death:
            connection.close()  # nothing is left of the transaction
            self.moments.is_dead = False

    @contextmanager
    def _patched(self) -> Iterator[None]:
        with ExitStack() as patches:
            patches.callback(signal.signal, SIG_SOFT_TIMEOUT, signal.signal(SIG_SOFT_TIMEOUT, soft_timeout_sighandler))
            patches.enter_context(connection.execute_wrapper(self._execute))
            for owner, name, replacement in (
                (connection, "_commit", self._commit(connection._commit)),
                (celery_app, "send_task", self._send_task),
                (trials, "testify", self._testify),
            ):
                before = getattr(owner, name)
                setattr(owner, name, replacement)
                patches.callback(setattr, owner, name, before)
            yield

    def _execute(self, execute: Any, sql: str, *rest: Any) -> Any:
        return self.moments.around(" ".join(sql.split()), lambda: execute(sql, *rest))

    def _commit(self, commit: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: self.moments.around("COMMIT", commit)

    def _send_task(self, name: str, *, task_id: str, **_: Any) -> None:
        self.moments.around(f"publishing {name}", lambda: self._messages.append((name, task_id)))
