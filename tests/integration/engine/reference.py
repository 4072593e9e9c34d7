"""What a canvas of tests.actions.canvases comes to, worked out in plain Python: no task, no ledger, no broker."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.actions.canvases import Canvas, value_of


@dataclass
class Outcome:
    """What must, and what may, be seen after a canvas has run.

    ``value`` is the result where nothing failed; ``failing`` are the paths of the tasks one of which is named else.
    ``lines`` are the journal's lines of all tasks that may run; where nothing fails, each of them does.
    """

    value: Any = None
    failing: set[str] = field(default_factory=set)
    lines: Counter[str] = field(default_factory=Counter)
    tasks: int = 0

    @property
    def is_ok(self) -> bool:
        return not self.failing


def evaluate(canvas: Canvas, path: str, inputs: tuple[Any, ...] = ()) -> Outcome:  # noqa: PLR0911  one for each kind of canvas
    """Return the outcome of a canvas. ``inputs`` is the result of what came before, or nothing."""
    match canvas:
        case ["work", *words]:
            taken = () if "immutable" in words else inputs
            return Outcome(value_of(path, taken), lines=Counter([f"{path} ok"]), tasks=1)
        case ["flaky", tries]:
            lines = Counter([f"{path} ok", *(f"{path} try {n}" for n in range(tries))])
            return Outcome(value_of(path, inputs), lines=lines, tasks=1)
        case ["fail"]:
            return Outcome(failing={path}, lines=Counter([f"{path} failed"]), tasks=1)
        case ["grow", grown]:
            outcome = evaluate(grown, f"{path}.0")
            return _together(outcome.value, [Outcome(lines=Counter([f"{path} ok"]), tasks=1), outcome])
        case ["sequence", *steps]:
            return _one_after_another(steps, path, inputs)
        case ["group", *members]:
            return _side_by_side(members, path, inputs)
        case ["chord", header, body]:
            return _one_after_another([["group", *header], body], path, inputs, [path, f"{path}.{len(header)}"])
        case _:
            raise ValueError(f"{canvas[0]} is no canvas.")


def _one_after_another(
    steps: Sequence[Canvas], path: str, inputs: tuple[Any, ...], paths: Iterable[str] | None = None
) -> Outcome:
    done: list[Outcome] = []
    for step, step_path in zip(steps, paths or [f"{path}.{n}" for n in range(len(steps))], strict=True):
        outcome = evaluate(step, step_path, inputs)
        done.append(outcome)
        if not outcome.is_ok:
            break
        inputs = (outcome.value,)
    return _together(done[-1].value, done)


def _side_by_side(members: Sequence[Canvas], path: str, inputs: tuple[Any, ...]) -> Outcome:
    done = [evaluate(member, f"{path}.{n}", inputs) for n, member in enumerate(members)]
    return _together([outcome.value for outcome in done], done)


def _together(value: Any, outcomes: Sequence[Outcome]) -> Outcome:
    return Outcome(
        value,
        failing=set().union(*(outcome.failing for outcome in outcomes)),
        lines=sum((outcome.lines for outcome in outcomes), Counter()),
        tasks=sum(outcome.tasks for outcome in outcomes),
    )
