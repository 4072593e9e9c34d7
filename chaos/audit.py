"""The four zeros: nothing accepted is lost or left unfinished, nothing runs twice, no outcome is overwritten."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import UUID

from chaos import ledger
from chaos.ledger import Row
from chaos.witness import Entry
from reports.models import Status

# SQLite's clock counts milliseconds.
_CLOCK_RESOLUTION = 0.002


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found, in words, one line for each case. ``counts`` are the accepted actions by their status."""

    lost: list[str]
    unfinished: list[str]
    run_twice: list[str]
    overwritten: list[str]
    counts: dict[str, int]

    @property
    def is_clean(self) -> bool:
        """Whether there are four zeros."""
        return not (self.lost or self.unfinished or self.run_twice or self.overwritten)

    def __str__(self) -> str:
        return "\n".join([*self.lost, *self.unfinished, *self.run_twice, *self.overwritten]) or "four zeros"


@dataclass(slots=True)
class Observations:
    """What clients were told and have seen: the actions that were accepted, outcomes, and what they had resumed."""

    accepted: set[UUID] = field(default_factory=set)
    outcomes: dict[UUID, tuple[Any, ...]] = field(default_factory=dict)
    resumed: dict[UUID, list[float]] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)

    def see(self, outcomes: Mapping[UUID, tuple[Any, ...]]) -> None:
        """Take note of final reports, by their ids; ``changed`` tells of those that were seen with another outcome."""
        for id_, outcome in outcomes.items():
            seen = self.outcomes.setdefault(id_, outcome)
            if seen != outcome:
                self.changed.append(f"overwritten: {id_} was {seen} and is {outcome}")
                self.outcomes[id_] = outcome

    def resume(self, root: UUID, *, at: float) -> None:
        """Take note that a client has an action resumed: what is not ok of it may have another outcome then."""
        self.resumed.setdefault(root, []).append(at)
        for row in ledger.read([root]):
            if row.status != Status.OK:
                self.outcomes.pop(row.id, None)


def audit(observations: Observations, testimony: Collection[Entry], reruns: Collection[str]) -> Audit:
    """Compare the ledger with what clients have seen and what tasks testify.

    ``reruns`` are the names of the tasks that may run again when their worker is lost.
    """
    rows = {row.id: row for row in ledger.read()}
    observations.see({row.id: row.outcome for row in rows.values() if row.is_final})
    by_task: dict[UUID, list[Entry]] = defaultdict(list)
    for entry in testimony:
        by_task[entry.task].append(entry)
    counts = {status.value: 0 for status in Status}
    for id_ in observations.accepted & rows.keys():
        counts[rows[id_].status] += 1
    gone = observations.outcomes.keys() - rows.keys()
    return Audit(
        lost=[
            *(f"lost: {id_} was accepted, and there is no such report" for id_ in observations.accepted - rows.keys()),
            *(f"lost: {row.task} {row.id} is ok, and it never came to its end" for row in _never_done(rows, by_task)),
        ],
        unfinished=[
            f"unfinished: {row.kind} {row.task} {row.id} is {row.status}" for row in rows.values() if not row.is_final
        ],
        run_twice=[
            f"run twice: {line}"
            for id_, entries in by_task.items()
            if id_ in rows
            for line in _runs_too_many(rows[id_], entries, observations, may_rerun=rows[id_].task in reruns)
        ],
        overwritten=[
            *observations.changed,
            *(f"overwritten: {id_} was final and is gone" for id_ in gone),
        ],
        counts=counts,
    )


def _never_done(rows: Mapping[UUID, Row], testimony: Mapping[UUID, list[Entry]]) -> Iterator[Row]:
    for row in rows.values():
        if row.is_task and row.status == Status.OK and all(e.event != "ends" for e in testimony.get(row.id, ())):
            yield row


def _runs_too_many(row: Row, entries: list[Entry], seen: Observations, *, may_rerun: bool) -> Iterator[str]:
    begun = [entry for entry in entries if entry.event == "begins"]
    if row.status == Status.OK and row.finished_at:
        recorded_at = row.finished_at.timestamp() + _CLOCK_RESOLUTION
        yield from (f"{row.task} {row.id} began after it was ok: {e}" for e in begun if e.at > recorded_at)
    if may_rerun:
        return
    resumed = seen.resumed.get(row.root, ())
    for one, next_ in pairwise(begun):
        raised = any(e.event == "raises" and one.at <= e.at <= next_.at for e in entries)
        if not raised and not any(one.at <= at <= next_.at for at in resumed):
            yield f"{row.task} {row.id} began twice: {one}, {next_}"
