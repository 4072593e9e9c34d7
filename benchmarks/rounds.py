"""What was seen, round by round, and what it comes to: medians and quartiles, ratios of one round with each other."""

import statistics
from collections import defaultdict
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """The median, and the quartiles around it."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        """Return it for one value or more."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(low, median, high)

    def as_json(self) -> dict[str, float]:
        """Return it with four significant digits."""
        return {name: float(f"{value:.4g}") for name, value in vars(self).items()}


class Rounds:
    """Values by name, one for each round. Contestants are measured one after another within a round.

    So a ratio is of two values that belong together, seconds apart, and the mood of the machine is in both.
    """

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = defaultdict(list)

    def note(self, name: str, value: float) -> None:
        """Keep one more value."""
        self._values[name].append(value)
        print(f"  {name:45} {value:10,.2f}", flush=True)

    def names(self) -> list[str]:
        """Return the names of all that was seen."""
        return list(self._values)

    def spread(self, name: str) -> Spread:
        """Return what was seen under a name."""
        return Spread.of(self._values[name])

    def ratio(self, name: str, to: str) -> Spread:
        """Return how many times ``to`` it was, within each round."""
        return Spread.of([a / b for a, b in zip(self._values[name], self._values[to], strict=True)])

    def difference(self, name: str, to: str) -> Spread:
        """Return by how much it was more than ``to``, within each round."""
        return Spread.of([a - b for a, b in zip(self._values[name], self._values[to], strict=True)])
