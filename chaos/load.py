"""What clients ask for: a mix that follows from the seed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from chaos.trials import Canvas, result_of

_MAX_DEPTH = 3
# How often each is chosen among the others.
_SHAPES = {"work": 4, "sequence": 4, "group": 2, "grow": 2}
_TIMINGS = {"now": 88, "delayed": 5, "soon or never": 3, "within an hour": 4}
_TASKS = {"quick": 872, "fails": 20, "flaky": 60, "slow": 40, "longer than a lease": 5, "kills its process": 3}
_CANCELLED = 0.08
_RUN_AGAIN = 0.5


@dataclass(frozen=True, slots=True)
class Wish:
    """An action that a client wants: its canvas, the query of its request, and what the client does with it then.

    It may cancel it after ``cancel_after`` seconds, and resume it ``resumes`` times where it has not become ok.
    ``result`` is the only one that it can have.
    """

    canvas: Canvas
    query: dict[str, Any] = field(default_factory=dict)
    cancel_after: float | None = None
    resumes: int = 0

    @property
    def result(self) -> Any:
        """What comes out of it where it becomes ok."""
        return result_of(self.canvas)


def wishes(seed: str) -> Iterator[Wish]:
    """Return what one client wants, without end."""
    random = Random(f"wishes of {seed}")
    while True:
        yield Wish(
            canvas=_canvas(random, depth=0),
            query=_query(random),
            cancel_after=random.uniform(0, 3) if random.random() < _CANCELLED else None,
            resumes=random.choice((0, 1, 2)),
        )


def _query(random: Random) -> dict[str, Any]:
    match _choice(random, _TIMINGS):
        case "delayed":
            return {"delay": random.randint(1, 4)}
        case "soon or never":
            return {"delay": 1, "expires_in": random.randint(2, 4)}
        case "within an hour":
            return {"expires_in": 3600}
        case _:
            return {}


def _canvas(random: Random, *, depth: int) -> Canvas:
    shape = _choice(random, _SHAPES) if depth < _MAX_DEPTH else "work"
    if shape == "work":
        return ["work", _deeds(random)]
    if shape == "grow":
        return ["grow", _canvas(random, depth=depth + 1), {"again": random.random() < _RUN_AGAIN}]
    # Celery makes a group of one that stands in a chain its one member.
    return [shape, *(_canvas(random, depth=depth + 1) for _ in range(random.randint(2, 4)))]


def _deeds(random: Random) -> dict[str, Any]:
    deeds = {
        "counts": random.randrange(10),
        "takes": random.expovariate(20),
        "again": random.random() < _RUN_AGAIN,
    }
    match _choice(random, _TASKS):
        case "fails":
            return {**deeds, "fails": True}
        case "flaky":
            return {**deeds, "flaky": random.randint(1, 3)}
        case "slow":
            return {**deeds, "takes": random.uniform(1, 4), "progress": True, "asks": True}
        case "longer than a lease":
            return {**deeds, "takes": 7, "asks": True}
        case "kills its process":
            return {**deeds, "kills": "process"}
        case _:
            return deeds


def _choice(random: Random, shares: Mapping[str, int]) -> str:
    [chosen] = random.choices(list(shares), list(shares.values()))
    return chosen
