"""The four zeros: nothing accepted is lost or left unfinished, nothing runs twice, no outcome is overwritten."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from chaos import ledger
from chaos.ledger import Row
from chaos.observations import Observations, Resume
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
        return not self.lines

    @property
    def lines(self) -> list[str]:
        """Everything that was found."""
        return [*self.lost, *self.unfinished, *self.run_twice, *self.overwritten]

    def __str__(self) -> str:
        return "\n".join(self.lines) or "four zeros"


def audit(observations: Observations, testimony: Collection[Entry], reruns: Collection[str]) -> Audit:
    """Compare the ledger with what clients have seen and what tasks testify.

    ``reruns`` are the names of the tasks that may run again when their worker is lost.
    """
    rows = {row.id: row for row in ledger.read()}
    observations.see(rows.values())
    by_task: dict[UUID, list[Entry]] = defaultdict(list)
    for entry in testimony:
        by_task[entry.task].append(entry)
    counts = {status.value: 0 for status in Status}
    for id_ in observations.accepted & rows.keys():
        counts[rows[id_].status] += 1
    roots = [row for row in rows.values() if row.id == row.root]
    return Audit(
        lost=[
            *_of_kind("lost", observations.wrong),
            *(f"lost: {id_} was accepted, and there is no such report" for id_ in observations.accepted - rows.keys()),
            *(f"lost: {row.task} {row.id} is ok, and it never came to its end" for row in _never_done(rows, by_task)),
            *(f"lost: {row.id} was to be resumed once more" for row in roots if _missed(row, observations)),
        ],
        unfinished=[
            f"unfinished: {row.kind} {row.task} {row.id} is {row.status}" for row in rows.values() if not row.is_final
        ],
        run_twice=[
            f"run twice: {row.task} {row.id} {line}"
            for row in rows.values()
            for line in _runs_too_many(row, by_task.get(row.id, []), observations, may_rerun=row.task in reruns)
        ]
        + [f"run twice: {path} by {' and '.join(map(str, tasks))}" for path, tasks in _twins(testimony)],
        overwritten=[
            *_of_kind("overwritten", observations.wrong),
            *(f"overwritten: {id_} was final and is gone" for id_ in observations.gone(rows)),
            *(f"overwritten: {row.id} was resumed, and nobody asked" for row in roots if _unasked(row, observations)),
            *(
                f"overwritten: {row.id} is {row.outcome}, and a client was told {told}"
                for row in roots
                if (told := observations.contradicted(row))
            ),
        ],
        counts=counts,
    )


def _of_kind(kind: str, lines: Collection[str]) -> list[str]:
    return [line for line in lines if line.startswith(f"{kind}: ")]


def _missed(row: Row, observations: Observations) -> bool:
    resumes = observations.resumes.get(row.id, ())
    return row.resumes < sum(resume.answered_at is not None and not resume.is_refused for resume in resumes)


def _unasked(row: Row, observations: Observations) -> bool:
    resumes = observations.resumes.get(row.id, ())
    return row.resumes > sum(not resume.is_refused for resume in resumes)


def _never_done(rows: Mapping[UUID, Row], testimony: Mapping[UUID, list[Entry]]) -> Iterator[Row]:
    for row in rows.values():
        ended = {entry.attempt for entry in testimony.get(row.id, ()) if entry.event == "ends"}
        if row.is_task and row.status == Status.OK and row.attempts not in ended:
            yield row


def _runs_too_many(row: Row, entries: list[Entry], observations: Observations, *, may_rerun: bool) -> Iterator[str]:
    begun = sorted((entry for entry in entries if entry.event == "begins"), key=lambda entry: entry.attempt)
    yield from (f"began its attempt twice: {e}, {next_}" for e, next_ in pairwise(begun) if e.attempt == next_.attempt)
    if row.status == Status.OK and row.finished_at:
        recorded_at = row.finished_at.timestamp() + _CLOCK_RESOLUTION
        # A process that was frozen right after its claim may begin late: with an attempt from before.
        yield from (f"began after it was ok: {e}" for e in begun if e.at > recorded_at and e.attempt >= row.attempts)
    if may_rerun:
        return
    raised = {entry.attempt for entry in entries if entry.event == "raises"}
    resumes = observations.resumes.get(row.root, ())
    for one, next_ in pairwise(begun):
        if one.attempt not in (next_.attempt, *raised) and not _resumed_between(one, next_, resumes):
            yield f"began twice: {one}, {next_}"


def _twins(testimony: Collection[Entry]) -> Iterator[tuple[str, list[UUID]]]:
    """Find what more than one report stands for: a path is one task's of one action that was asked for once."""
    by_path: dict[str, set[UUID]] = defaultdict(set)
    for entry in testimony:
        by_path[entry.path].add(entry.task)
    return ((path, sorted(tasks)) for path, tasks in by_path.items() if len(tasks) > 1)


def _resumed_between(one: Entry, next_: Entry, resumes: Collection[Resume]) -> bool:
    return any(resume.may_precede(next_.at, since=one.at) for resume in resumes)
