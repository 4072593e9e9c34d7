"""A chart of what came and went, drawn by the server: a browser needs no script for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reports.statistics import SLICE

_HEIGHT = 100


@dataclass(frozen=True, slots=True)
class Column:
    """One slice of time: how many came and went in it, and how high they stand, of 100."""

    start: datetime
    accepted: int
    finished: int
    accepted_height: float
    finished_height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The columns, the oldest first. ``top`` is the number that stands at 100."""

    columns: list[Column]
    top: int

    @classmethod
    def of(
        cls, slices: Sequence[datetime], *, accepted: Mapping[datetime, int], finished: Mapping[datetime, int]
    ) -> "Chart":
        """Return the chart of these slices; the last of them is not over yet."""
        top = _readable(max([*accepted.values(), *finished.values()], default=0))
        columns = [
            Column(start, came, went, _HEIGHT * came / top, _HEIGHT * went / top)
            for start in slices
            for came, went in [(accepted.get(start, 0), finished.get(start, 0))]
        ]
        return cls(columns, top)

    @property
    def accepted_per_minute(self) -> float:
        """How many were accepted a minute, in the last whole slices."""
        return self._per_minute([column.accepted for column in self._latest])

    @property
    def finished_per_minute(self) -> float:
        """How many ended a minute, in the last whole slices."""
        return self._per_minute([column.finished for column in self._latest])

    @property
    def _latest(self) -> list[Column]:
        return self.columns[-6:-1]

    @staticmethod
    def _per_minute(numbers: Sequence[int]) -> float:
        return sum(numbers) / (len(numbers) * SLICE / timedelta(minutes=1)) if numbers else 0.0


def _readable(number: int) -> int:
    """Return the smallest number that people read easily and that is no smaller than this one."""
    unit = 1
    while True:
        for factor in (1, 2, 4, 5, 8):
            if factor * unit >= number:
                return factor * unit
        unit *= 10
