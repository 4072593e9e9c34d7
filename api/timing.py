"""When an action is to run, from the query of its request. All is measured by the database's clock."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from api.queries import invalid
from reports.requests import Timing
from reports.selectors import read_clock

TIMING_PARAMETERS = ("run_at", "delay", "expires_at", "expires_in")
LONGEST_SECONDS = 5 * 366 * 24 * 3600
# What a client's clock may be behind, and a request be on its way.
_TOLERANCE = timedelta(minutes=1)
_FURTHEST = timedelta(seconds=LONGEST_SECONDS)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)


def timing_of(query: Mapping[str, str], *, time_budget: float | None) -> Timing:
    """Read ``run_at`` or ``delay``, and ``expires_at`` or ``expires_in``. Raises ProblemError.

    A ``run_at`` that has just passed means now. Costs a query where one of them is given.
    """
    _refuse_both(query, "run_at", "delay")
    _refuse_both(query, "expires_at", "expires_in")
    if not query:
        return Timing(time_budget=time_budget)
    now = read_clock()
    not_before = _start_of(query, now)
    return Timing(not_before, _end_of(query, now, earliest=not_before or now), time_budget)


def read_moment(name: str, text: str) -> datetime:
    """Return the moment that the query parameter ``name`` says. Raises ProblemError."""
    try:
        moment = datetime.fromisoformat(text.upper()) if _MOMENT.fullmatch(text) else None
    except ValueError:
        moment = None
    if moment is None:
        raise invalid(name, "Use RFC 3339 with an offset, such as 2026-11-24T08:00:00Z. In a URL, + is written %2B.")
    return moment


def _start_of(query: Mapping[str, str], now: datetime) -> datetime | None:
    name, moment = _moment_of(query, "run_at", "delay", now)
    if moment is None:
        return None
    if moment < now - _TOLERANCE:
        raise invalid(name, "This time has passed.", code="in_the_past")
    return moment if moment > now else None


def _end_of(query: Mapping[str, str], now: datetime, *, earliest: datetime) -> datetime | None:
    name, moment = _moment_of(query, "expires_at", "expires_in", now)
    if moment is None:
        return None
    if moment <= now:
        raise invalid(name, "This time has passed.", code="in_the_past")
    if moment <= earliest:
        raise invalid(name, "The action would expire before it may run.", code="too_early")
    return moment


def _moment_of(query: Mapping[str, str], at: str, after: str, now: datetime) -> tuple[str, datetime | None]:
    """Return the parameter that is given, and its moment."""
    if at in query:
        moment = read_moment(at, query[at])
        if moment > now + _FURTHEST:
            raise invalid(at, "Use a time within the next five years.", code="too_late")
        return at, moment
    if after in query:
        return after, now + timedelta(seconds=_read_seconds(after, query[after]))
    return at, None


def _read_seconds(name: str, text: str) -> int:
    if not _SECONDS.fullmatch(text) or int(text) > LONGEST_SECONDS:
        raise invalid(name, f"Use whole seconds, from 0 to {LONGEST_SECONDS}.")
    return int(text)


def _refuse_both(query: Mapping[str, str], one: str, other: str) -> None:
    if one in query and other in query:
        raise invalid(other, f"Give either {one} or {other}.", code="contradictory")
