"""Who was left alone, and when: only a worker that is can be blamed for what it does not recover."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain
from math import inf
from threading import Lock


@dataclass(slots=True)
class _Span:
    begun: float
    ended: float = inf


class Watch:
    """The times in which each worker was hindered: away, frozen, cut off, or without database or broker.

    All moments are in seconds of one clock.
    """

    def __init__(self, workers: Collection[str]) -> None:
        self._workers = workers
        self._spans: dict[str, list[_Span]] = defaultdict(list)
        self._lock = Lock()

    def disturb(self, who: str, at: float) -> None:
        """Take note that a worker is hindered from now on; who is no worker is needed by all of them."""
        with self._lock:
            if not self._spans[who] or self._spans[who][-1].ended < inf:
                self._spans[who].append(_Span(at))

    def calm(self, who: str, at: float) -> None:
        """Take note that it is hindered no more."""
        with self._lock:
            if self._spans[who]:
                self._spans[who][-1].ended = min(at, self._spans[who][-1].ended)

    def flicker(self, who: str, at: float) -> None:
        """Take note that a worker, or whatever all need, was cut off for a moment."""
        with self._lock:
            if not self._spans[who] or self._spans[who][-1].ended < at:
                self._spans[who].append(_Span(at, at))

    def longest_calm(self, begin: float, end: float) -> float:
        """Return the longest time, between two moments, for which one and the same worker was not hindered."""
        with self._lock:
            common = [span for who, spans in self._spans.items() if who not in self._workers for span in spans]
            return max(
                (_longest_gap(chain(self._spans[worker], common), begin, end) for worker in self._workers), default=0.0
            )


def _longest_gap(spans: chain[_Span], begin: float, end: float) -> float:
    longest = 0.0
    for span in sorted(spans, key=lambda span: span.begun):
        if span.ended < begin or span.begun > end:
            continue
        longest = max(longest, span.begun - begin)
        begin = max(begin, span.ended)
    return max(longest, end - begin)
