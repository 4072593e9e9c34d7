"""What an operation on many reports is for: those that are searched for and that it can change."""

from dataclasses import dataclass, replace
from datetime import timedelta

from reports import matches, selectors
from reports.errors import SelectionInvalidError
from reports.models import Status, Verb
from reports.search import Search
from reports.selectors import Report

#: Names of the actions that operations on many reports are. None of them is ever acted on by another.
OPERATIONS = {"cancel-reports": Verb.CANCEL, "retry-reports": Verb.RETRY}
MOST_COUNTED = 10_000

_CHANGEABLE = {Verb.CANCEL: (Status.PENDING, Status.RUNNING), Verb.RETRY: (Status.FAILED, Status.CANCELLED)}
# What was cancelled was not wanted: it is retried where somebody says so.
_MEANT = {Verb.CANCEL: _CHANGEABLE[Verb.CANCEL], Verb.RETRY: (Status.FAILED,)}
_TICK = timedelta(milliseconds=1)  # of SQLite's clock


@dataclass(frozen=True, slots=True)
class Number:
    """How many there are, as far as it was counted."""

    counted: int
    is_more: bool

    def __str__(self) -> str:
        return f"more than {self.counted:,}" if self.is_more else f"{self.counted:,}"


def name_of(verb: Verb) -> str:
    """Return the name of the action that does it to many reports."""
    return f"{verb}-reports"


def select(verb: Verb, search: Search) -> Search:
    """Return what is searched for and can be changed, as far as it is there at this moment; the oldest first.

    Without statuses, that is what waits or runs, to be cancelled, and what has failed, to be retried.

    Raises:
        SelectionInvalidError: nothing of what is searched for can ever be changed.

    """
    if search.action in OPERATIONS:
        raise SelectionInvalidError(f"{search.action} is an operation itself; cancel or retry it by its id.")
    statuses = tuple(status for status in _CHANGEABLE[verb] if status in (search.statuses or _MEANT[verb]))
    if not statuses:
        wanted, possible = (" or ".join(group) for group in (search.statuses, _CHANGEABLE[verb]))
        raise SelectionInvalidError(f"To {verb} what is {wanted} changes nothing; choose what is {possible}.")
    now = selectors.read_clock() + _TICK
    return replace(
        search,
        statuses=statuses,
        created_before=min(search.created_before or now, now),
        oldest_first=True,
        but_not=(*search.but_not, *OPERATIONS),
    )


def count(selected: Search) -> Number:
    """Return how many reports are selected. What it costs is bounded."""
    counted = matches.count(selected, most=MOST_COUNTED + 1)
    return Number(min(counted, MOST_COUNTED), is_more=counted > MOST_COUNTED)


def examples(selected: Search, *, limit: int) -> list[Report]:
    """Return the first of the reports that are selected, without results and parameters."""
    return selectors.list_roots(selected, limit=limit)
