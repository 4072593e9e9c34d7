"""What is to be reached: ratios, differences and amounts, by name."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.rounds import Rounds, Spread


@dataclass(frozen=True)
class Goal:
    """One row of the table. Reached where the median is ``least`` or more, or ``most`` or less."""

    name: str
    seen: Callable[[Rounds], Spread]
    least: float | None = None
    most: float | None = None

    @property
    def asked(self) -> str:
        """What is asked for, in words."""
        return f"≥ {self.least:g}" if self.least is not None else f"< {self.most:g}" if self.most is not None else ""

    def is_reached(self, seen: Spread) -> bool | None:
        """Tell whether it is; ``None`` where nothing is asked for."""
        if self.least is not None:
            return seen.median >= self.least
        return None if self.most is None else seen.median < self.most


def goals(rounds: Rounds) -> list[Goal]:
    """Return the rows for which there are values."""
    known = set(rounds.names())
    return [goal for needs, goal in _GOALS if needs <= known]


def _times(name: str, one: str, other: str, least: float | None = None) -> tuple[set[str], Goal]:
    return {one, other}, Goal(name, lambda rounds: rounds.ratio(one, other), least=least)


def _more(name: str, one: str, other: str, most: float) -> tuple[set[str], Goal]:
    return {one, other}, Goal(name, lambda rounds: rounds.difference(one, other), most=most)


def _amount(name: str, value: str, most: float) -> tuple[set[str], Goal]:
    return {value}, Goal(name, lambda rounds: rounds.spread(value), most=most)


_FULL = "full table / empty table"
_GOALS = [
    _times("poll, 200 / floor", "poll service", "poll floor", 0.6),
    _times("poll, 200 / idiom", "poll service", "poll idiom", 2),
    _times("poll, 200 / talk", "poll service", "poll talk"),
    _times("poll, 304 / floor", "poll 304 service", "poll floor", 0.8),
    _times("accept / floor", "accept service", "accept floor", 0.7),
    _times("accept / idiom", "accept service", "accept idiom", 0.9),
    _times("accept / talk", "accept service", "accept talk"),
    # A no-op is one task, an action two.
    (
        {"complete service", "no-op floor"},
        Goal(
            "complete, tasks / bare no-ops",
            lambda rounds: _doubled(rounds.ratio("complete service", "no-op floor")),
            least=0.85,
        ),
    ),
    _times("complete / bare chain", "complete service", "chain floor", 1),
    _times("complete / idiom", "complete service", "complete idiom", 2),
    _times("complete / talk", "complete service", "complete talk"),
    (
        {"group service", "no-op floor"},
        Goal(
            "group, tasks / bare no-ops",
            lambda rounds: _over(rounds.spread("group service"), rounds.spread("no-op floor")),
            0.8,
        ),
    ),
    _amount("group, peak memory of a process, MB", "group peak MB service", 200),
    _more("idle, request to ok, over a bare chain's round trip, ms", "idle ms service", "idle ms chain", 25),
    _amount("hand-over, ms", "hand-over ms service", 10),
    _times(f"poll, 200: {_FULL}", "poll full", "poll service", 0.85),
    _times(f"poll, 304: {_FULL}", "poll 304 full", "poll 304 service", 0.85),
    _times(f"accept: {_FULL}", "accept full", "accept service", 0.85),
    _times(f"complete: {_FULL}", "complete full", "complete service", 0.85),
    _times(f"group: {_FULL}", "group full", "group service", 0.85),
    _times(f"idle: {'empty table / full table'}", "idle ms service", "idle ms full", 0.85),
    _times(f"hand-over: {'empty table / full table'}", "hand-over ms service", "hand-over ms full", 0.85),
    _amount("memory of a web process, MB", "memory MB web", 120),
    _amount("memory of a worker child at the end, MB", "memory MB child", 120),
    _amount("growth of a worker child, MB", "memory MB growth child", 1),
]


def _doubled(spread: Spread) -> Spread:
    return Spread(2 * spread.low, 2 * spread.median, 2 * spread.high)


def _over(one: Spread, other: Spread) -> Spread:
    # Of different rounds: against the other's median.
    return Spread(one.low / other.median, one.median / other.median, one.high / other.median)
