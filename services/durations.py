"""How long an action usually takes, and so when it makes sense to ask for its report again."""

from dataclasses import dataclass, field
from math import ceil
from statistics import median
from time import monotonic

from reports import selectors
from reports.models import Status
from reports.selectors import Report

# How many of a client's latest reports of an action tell how long it takes, and for how many seconds.
_SAMPLES = 50
_FRESH = 60.0
_MOST_KNOWN = 1000  # pairs of an action and a client, of which this process has an idea

_SOONEST = 1
_LATEST = 60
# What is not known, or has taken longer than ever, is asked for again after this part of the time it has taken.
_PATIENCE = 0.25


@dataclass(slots=True)
class _Usual:
    """Seconds that the latest reports took from the moment they might begin, and from their beginning, to their end."""

    from_turn: list[float] = field(default_factory=list)
    from_start: list[float] = field(default_factory=list)
    read_at: float = 0.0


_known: dict[tuple[str, int | None], _Usual] = {}


def seconds_until_worth_asking(report: Report) -> int:
    """Return the seconds, from 1 to 60, after which to ask again for a report that is not final.

    Half of those that had taken as long as it has were final after so much more time. Costs a query a minute for each
    action of a client's.
    """
    since = report.started_at or report.turn_at
    if report.parent is not None or since is None:
        return _SOONEST
    elapsed = (report.read_at - since).total_seconds()
    usual = _usual(report)
    samples = usual.from_start if report.started_at else usual.from_turn
    longer = [seconds - elapsed for seconds in samples if seconds > elapsed]
    left = median(longer) if longer else max(elapsed * _PATIENCE, -elapsed)
    return min(_LATEST, max(_SOONEST, ceil(left)))


def forget() -> None:
    """Know nothing any more."""
    _known.clear()


def _usual(report: Report) -> _Usual:
    key = (report.action, report.requested_by)
    usual = _known.get(key)
    if usual is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        usual = _known.setdefault(key, _Usual(read_at=-_FRESH))
    if monotonic() - usual.read_at >= _FRESH:
        usual.read_at = monotonic()
        _read(usual, report)
    return usual


def _read(usual: _Usual, report: Report) -> None:
    from_turn, from_start = [], []
    for earlier in selectors.list_earlier(report, limit=_SAMPLES):
        if earlier.status in (Status.OK, Status.FAILED) and earlier.turn_at and earlier.started_at:
            end = earlier.finished_at or earlier.read_at
            from_turn.append((end - earlier.turn_at).total_seconds())
            from_start.append((end - earlier.started_at).total_seconds())
    if from_turn:  # none of the latest is final where many were asked for at once
        usual.from_turn, usual.from_start = from_turn, from_start
