"""How long it takes until what a kill has hit goes on.

A kill hits every task that waits for a worker at that moment, and those in flight that it takes away or cuts off. It is
recovered from when each of them has been claimed anew or is final; where only connections were cut, one in flight that
has a heartbeat again goes on, too. The time counted is the longest within that span for which one and the same worker
was left alone, with database and broker: a worker that is killed, frozen or cut off itself recovers nothing, and after
each such gap it waits a lease anew before it calls anyone dead.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from threading import Lock
from uuid import UUID

from chaos.ledger import Mark
from chaos.watch import Watch


@dataclass(frozen=True, slots=True)
class Recovery:
    """A kill that is recovered from: ``seconds`` count, ``by_the_wall`` includes what hindered every worker."""

    what: str
    at: float
    seconds: float
    by_the_wall: float
    last: UUID

    def __str__(self) -> str:
        return f"late: {self.what}, recovered from after {self.seconds:.2f} s, last of all {self.last}"


@dataclass(slots=True)
class _Wound:
    what: str
    at: float
    left: dict[UUID, Mark]
    heals_by_heartbeat: bool
    last: UUID = field(init=False)


class Recoveries:
    """The kills that are not recovered from yet, and how long the others took. Moments as in ``Watch``."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._open: list[_Wound] = []
        self._lock = Lock()
        self.done: list[Recovery] = []
        #: What was under way when that was looked at last.
        self.latest: dict[UUID, Mark] = {}

    def begin(
        self,
        what: str,
        at: float,
        under_way: dict[UUID, Mark],
        *,
        hits: Callable[[Mark], bool],
        heals_by_heartbeat: bool = False,
    ) -> None:
        """Take note of a kill, and of what was under way right before it.

        ``hits`` tells which tasks in flight it takes away or cuts off.
        """
        left = {id_: mark for id_, mark in under_way.items() if not mark.is_running or hits(mark)}
        if left:
            with self._lock:
                self._open.append(_Wound(what, at, left, heals_by_heartbeat))

    def look(self, at: float, under_way: dict[UUID, Mark]) -> None:
        """Take note of what has been recovered by a moment at which these tasks were under way."""
        with self._lock:
            self.latest = under_way
            for wound in self._open:
                if wound.at < at:
                    self._heal(wound, at, under_way)
            self._open = [wound for wound in self._open if wound.left]

    def finish(self, at: float) -> list[UUID]:
        """End all that is still open, as if it were recovered from now. Returns the tasks that are not."""
        left = [id_ for wound in self._open for id_ in wound.left]
        self.look(at, {})
        return left

    def _heal(self, wound: _Wound, at: float, under_way: dict[UUID, Mark]) -> None:
        for id_, mark in list(wound.left.items()):
            now = under_way.get(id_)
            if now is None or now.attempts > mark.attempts or (wound.heals_by_heartbeat and _beats_again(mark, now)):
                del wound.left[id_]
                wound.last = id_
        if not wound.left:
            calm = self._watch.longest_calm(wound.at, at)
            self.done.append(Recovery(wound.what, wound.at, calm, at - wound.at, wound.last))


def _beats_again(before: Mark, now: Mark) -> bool:
    return before.is_running and now.is_running and now.heartbeat_at != before.heartbeat_at


def percentile(values: list[float], share: float) -> float:
    """Return the value that ``share`` of all are not above, by the nearest rank; 0 where there is none."""
    ranked = sorted(values)
    return ranked[max(0, ceil(share * len(ranked)) - 1)] if ranked else 0.0
