"""An action's tree as bars on an axis of time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reports.models import FINAL, Kind, Status
from reports.selectors import Report
from reports.timeline import Step

_TICKS = 6
# Lengths between two ticks that people read easily, in seconds.
_READABLE = tuple(
    n * unit
    for unit, steps in (
        (0.001, (1, 2, 5, 10, 20, 50, 100, 200, 500)),
        (1, (1, 2, 5, 10, 15, 30)),
        (60, (1, 2, 5, 10, 15, 30)),
        (3600, (1, 2, 3, 6, 12)),
        (86_400, (1, 2, 7, 14, 30, 90, 365)),
    )
    for n in steps
)
_NARROWEST = 0.25  # percent, so that what took no time can be seen


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a row: what happened between two moments. Places are in percent of the axis."""

    kind: str
    left: float
    width: float
    words: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the axis, at a place in percent, ``seconds`` after its beginning."""

    left: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the timeline: a report below the action's, how deep it stands, and its bars."""

    step: Step
    depth: int
    bars: list[Bar]
    is_late: bool
    took: float | None  # seconds, of its last attempt or, for what has none, of all below it

    @property
    def version(self) -> str:
        """What is another as soon as the row is, apart from the growing of bars."""
        step = self.step
        seen = (step.kind, step.status, step.attempts, len(step.errors), step.children_ok, step.children_total)
        return "-".join(map(str, (*seen, step.dispatched_at and step.dispatched_at.timestamp())))


@dataclass(frozen=True, slots=True)
class Axis:
    """From when the action was asked for, until it ended or now."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, root: Report) -> "Axis":
        """Return the axis of an action's tree."""
        end = root.finished_at or root.read_at
        return cls(root.created_at, max(end, root.created_at + timedelta(milliseconds=1)))

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end - self.start).total_seconds()

    @property
    def ticks(self) -> list[Tick]:
        """Marks at readable distances."""
        distance = next((n for n in _READABLE if n * _TICKS >= self.seconds), _READABLE[-1])
        marks = [Tick(100 * n * distance / self.seconds, n * distance) for n in range(int(self.seconds / distance) + 1)]
        return marks if len(marks) <= 2 * _TICKS else marks[:1]

    def bar(self, kind: str, start: datetime, end: datetime, words: str) -> Bar:
        """Return the bar between two moments, as much of it as is on the axis."""
        left, right = self._place(start), self._place(end)
        width = max(right - left, _NARROWEST)
        return Bar(kind, min(left, 100 - width), width, words, max((end - start).total_seconds(), 0.0))

    def _place(self, moment: datetime) -> float:
        return min(max(100 * (moment - self.start).total_seconds() / self.seconds, 0.0), 100.0)


def lines(steps: Sequence[Step], axis: Axis, now: datetime, *, lease: float) -> list[Line]:
    """Return a row for each report, what belongs together standing together.

    ``lease`` is how long a task may run without its worker being heard of, in seconds.
    """
    return [
        Line(step, depth, _bars(step, axis, now), _is_late(step, now, lease), _took(step, now))
        for step, depth in _in_tree(steps)
    ]


def _in_tree(steps: Sequence[Step]) -> Iterator[tuple[Step, int]]:
    """Go through the trees that these reports form, parents first. Those whose parent is elsewhere stand at the top."""
    here = {step.id for step in steps}
    children: dict[object, list[Step]] = {}
    for step in steps:
        children.setdefault(step.parent if step.parent in here else None, []).append(step)
    waiting = [(step, 0) for step in reversed(children.get(None, []))]
    while waiting:
        step, depth = waiting.pop()
        yield step, depth
        below = sorted(children.get(step.id, []), key=lambda child: child.position, reverse=True)
        waiting += [(child, depth + 1) for child in below]


def _is_late(step: Step, now: datetime, lease: float) -> bool:
    runs = step.kind == Kind.TASK and step.status == Status.RUNNING and step.heartbeat_at is not None
    return runs and (now - (step.heartbeat_at or now)).total_seconds() > lease


def _took(step: Step, now: datetime) -> float | None:
    start = step.started_at or (step.dispatched_at if step.kind != Kind.TASK else None)
    end = step.finished_at or (now if step.status == Status.RUNNING else None)
    return (end - start).total_seconds() if start and end else None


def _bars(step: Step, axis: Axis, now: datetime) -> list[Bar]:
    end = step.finished_at or now
    if step.kind != Kind.TASK:
        start = step.dispatched_at or step.started_at
        words = f"{step.kind.label}: {step.status.value}"
        return [axis.bar(f"span-{step.status.value}", start, end, words)] if start else []
    attempts = _attempts(step, end)
    is_waiting = step.status == Status.PENDING and step.dispatched_at is not None
    waits_end = [*(attempt.start for attempt in attempts), *([now] if is_waiting else [])]
    bars: list[Bar] = []
    free_at = step.dispatched_at
    for number, until in enumerate(waits_end):
        # Only the latest of its delays is kept; before it, all that lies between two attempts is taken for one.
        due = step.not_before if number == len(waits_end) - 1 else until if number else None
        bars += _waits(axis, free_at, until, due)
        if number < len(attempts):
            attempt = attempts[number]
            bars.append(axis.bar(attempt.kind, attempt.start, attempt.end, attempt.words))
            free_at = max(attempt.end, free_at) if free_at else attempt.end
    return bars


def _waits(axis: Axis, since: datetime | None, until: datetime, due: datetime | None) -> Iterator[Bar]:
    """Return what lies between the moment its turn came, or its last attempt ended, and the next attempt."""
    if since is None or since >= until:
        return
    ready = min(max(due, since), until) if due else since
    if since < ready:
        yield axis.bar("delayed", since, ready, "waits for its time")
    if ready < until:
        yield axis.bar("queued", ready, until, "waits for a worker")


@dataclass(frozen=True, slots=True)
class _Attempt:
    start: datetime
    end: datetime
    kind: str
    words: str


def _attempts(step: Step, end: datetime) -> list[_Attempt]:
    failed = [attempt for error in step.errors if (attempt := _failed(error))]
    numbers = {error.get("attempt") for error in step.errors}
    is_told = step.attempts in numbers and step.status != Status.RUNNING
    if step.started_at and step.attempts and not is_told and step.status in (Status.RUNNING, *FINAL):
        words = f"attempt {step.attempts}: {step.status.value}"
        failed.append(_Attempt(step.started_at, max(end, step.started_at), step.status.value, words))
    return sorted(failed, key=lambda attempt: attempt.start)


def _failed(error: dict[str, object]) -> _Attempt | None:
    try:
        start, end = (datetime.fromisoformat(str(error[name])) for name in ("started_at", "failed_at"))
    except (KeyError, ValueError):
        return None
    return _Attempt(start, end, "failed", f"attempt {error.get('attempt')}: {error.get('code')}")
