"""What clients were told, what they asked for, and what was seen of the ledger while the service was at work."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any
from uuid import UUID

from chaos.ledger import Row
from reports.models import FINAL, Status


@dataclass(slots=True)
class Resume:
    """A client's request to resume an action. Unanswered, it may have been heard all the same, then or later."""

    asked_at: float
    answered_at: float | None = None
    is_refused: bool = False

    def may_precede(self, begin: float, *, since: float) -> bool:
        """Tell whether an attempt that began at a moment may be due to this, and the one begun ``since`` then not.

        Where that one began later still, its process had stood still before: nobody knows since when.
        """
        heard_in_time = self.answered_at is None or self.answered_at >= since or since > begin
        return not self.is_refused and self.asked_at <= begin and heard_in_time


@dataclass(frozen=True, slots=True)
class _Answer:
    resumes: int
    status: str
    finished_at: datetime


@dataclass(slots=True)
class Observations:
    """Everything that the ledger must agree with in the end. ``wrong`` are the contradictions seen so far, in words."""

    accepted: set[UUID] = field(default_factory=set)
    expected: dict[UUID, Any] = field(default_factory=dict)
    resumes: dict[UUID, list[Resume]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    _rows: dict[UUID, Row] = field(default_factory=dict)
    _answers: dict[UUID, _Answer] = field(default_factory=dict)
    _lock: Any = field(default_factory=Lock)

    def accept(self, root: UUID, *, expected: Any = None) -> None:
        """Take note of a 202. ``expected`` is the action's result, where it can have but one."""
        with self._lock:
            self.accepted.add(root)
            if expected is not None:
                self.expected[root] = expected

    def ask_to_resume(self, root: UUID) -> Resume:
        """Take note that a client is about to have an action resumed: what is not ok of it may change from now on."""
        with self._lock:
            resume = Resume(time.time())
            self.resumes.setdefault(root, []).append(resume)
            return resume

    def see(self, rows: Iterable[Row]) -> None:
        """Compare rows of the ledger with what was seen of them before, and take note of those that are final."""
        with self._lock:
            for row in rows:
                seen = self._rows.get(row.id)
                if seen and seen.outcome != row.outcome and _must_agree(seen, row):
                    self.wrong.append(f"overwritten: {row.task} {row.id} was {seen.outcome} and is {row.outcome}")
                if row.is_final:
                    self._rows[row.id] = row

    def hear(self, body: dict[str, Any]) -> None:
        """Compare an action's report, as a client got it, with the answers before; take note of it where it is final.

        A result is compared with the one that the action has to have.
        """
        if body["status"] not in FINAL:
            return
        root = UUID(body["id"])
        answer = _Answer(body["retries"], body["status"], datetime.fromisoformat(body["finished_at"]))
        with self._lock:
            told = self._answers.get(root)
            if told == answer:
                return
            if told and _must_agree(told, answer):
                self.wrong.append(f"overwritten: a client was told of {root} that it is {told}, then {answer}")
            if told is None or told.resumes <= answer.resumes:
                self._answers[root] = answer
            if answer.status == Status.OK and body["result"] != self.expected.get(root, body["result"]):
                self.wrong.append(f"lost: the result of {root} should be {self.expected[root]}, is {body['result']}")

    def gone(self, there: Iterable[UUID]) -> list[UUID]:
        """Return what was seen final, and is not ``there`` any more."""
        return sorted((self._rows.keys() | self._answers.keys()) - set(there))

    def contradicted(self, row: Row) -> str:
        """Return what a client was told of an action, where the ledger says otherwise."""
        told = self._answers.get(row.id)
        if told is None or (told.resumes < row.resumes and told.status != Status.OK):
            return ""
        return "" if (told.status, told.finished_at) == (row.status, row.finished_at) else str(told)


def _must_agree(one: Row | _Answer, other: Row | _Answer) -> bool:
    """Tell whether an outcome must be the same: it was ok already, or the action was not resumed in between."""
    return one.resumes == other.resumes or min(one, other, key=lambda state: state.resumes).status == Status.OK
