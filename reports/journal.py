"""The journal of what operators do: who, when, what, from where, and whether it changed anything.

An entry is written in the transaction of the change that it tells of. For an operation on many reports it is also the
memory: where it goes on after a worker was lost, and what it comes to.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, When

from reports.models import AsyncActionReport, Intervention, Source, Verb
from reports.search import Search
from reports.selectors import read_clock

LONGEST_REASON = 500
_ENTRIES_PER_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Operator:
    """Who acts, by a name that people know, from where, and why. ``account`` is the user's id where there is one."""

    name: str
    source: Source
    account: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operator wants to have done to all reports that are searched for. ``id`` is its entry's."""

    id: UUID
    verb: Verb
    search: Search
    operator: Operator


@dataclass(frozen=True, slots=True)
class Tally:
    """What an operation has come to so far, in reports."""

    changed: int
    refused: int


@dataclass(frozen=True, slots=True)
class Purged:
    """How many entries were deleted, and which was ``looked_at`` last: ``None`` where no old one comes after it."""

    deleted: int
    looked_at: UUID | None


def write(verb: Verb, report: UUID, operator: Operator, *, refused: str = "", part_of: UUID | None = None) -> None:
    """Write down what an operator did to one report, and the code of the reason where nothing was changed.

    Raises:
        IntegrityError: ``part_of`` that operation it is written down already.

    """
    Intervention.objects.create(verb=verb, report=report, refused=refused, part_of_id=part_of, **_columns_of(operator))


def write_operation(operation: Operation, report: UUID) -> None:
    """Write down an operation, which has this report of its own."""
    Intervention.objects.create(
        id=operation.id,
        verb=operation.verb,
        report=report,
        search=operation.search.as_document(),
        **_columns_of(operation.operator),
    )


def find_operation(id_: UUID) -> Operation:
    """Return an operation that was written down. Raises Intervention.DoesNotExist."""
    entry = Intervention.objects.get(id=id_, search__isnull=False)
    assert entry.search is not None  # noqa: S101  it was asked for
    operator = Operator(entry.who, Source(entry.source), entry.account_id, entry.reason)
    return Operation(entry.id, Verb(entry.verb), Search.of_document(entry.search), operator)


def list_parts(operation: UUID, *, after: UUID | None, up_to: UUID) -> list[UUID]:
    """Return the reports that an operation has been at, of those after one id, up to another, in order."""
    parts = Intervention.objects.filter(part_of=operation, report__lte=up_to)
    if after:
        parts = parts.filter(report__gt=after)
    return list(parts.order_by("report").values_list("report", flat=True))


def has_part(operation: UUID, report: UUID) -> bool:
    """Tell whether an operation has been at a report."""
    return Intervention.objects.filter(part_of=operation, report=report).exists()


def tally(operation: UUID) -> Tally:
    """Return what an operation has come to so far."""
    parts = Intervention.objects.filter(part_of=operation)
    return Tally(
        **parts.aggregate(changed=Count("id", filter=Q(refused="")), refused=Count("id", filter=~Q(refused="")))
    )


def count_old(*, older_than: float) -> int:
    """Return how many entries are older than so many seconds, and not the memory of an operation that can go on."""
    return _not_needed().filter(made_at__lt=_ago(older_than)).count()


def purge_batch(*, older_than: float, after: UUID | None = None) -> Purged:
    """Look at some entries, the oldest or those ``after`` one, and delete what of them is old and not needed."""
    entries = Intervention.objects.order_by("id").values_list("id", "made_at")
    looked_at = list((entries.filter(id__gt=after) if after else entries)[:_ENTRIES_PER_BATCH])
    made_before = _ago(older_than)
    old = [id_ for id_, made_at in looked_at if made_at < made_before]
    ids = list(_not_needed().filter(id__in=old).values_list("id", flat=True)) if old else []
    deleted = Intervention.objects.filter(id__in=ids).delete()[0] if ids else 0
    # Not the first young one is the end: its id is by the clock of a process, which may have been wrong.
    is_end = len(looked_at) < _ENTRIES_PER_BATCH or not old
    return Purged(deleted, None if is_end else looked_at[-1][0])


def _not_needed() -> QuerySet[Intervention]:
    # An operation goes on by its entries, whenever it is retried, for as long as it has a report.
    operation = Case(When(search__isnull=False, then=F("report")), default=F("part_of__report"))
    goes_on = Exists(AsyncActionReport.objects.filter(id=OuterRef("operation")))
    return Intervention.objects.alias(operation=operation).filter(~goes_on)


def _ago(seconds: float) -> datetime:
    return read_clock() - timedelta(seconds=seconds)


def _columns_of(operator: Operator) -> dict[str, Any]:
    return {
        "who": operator.name,
        "account_id": operator.account,
        "source": operator.source,
        "reason": operator.reason[:LONGEST_REASON],
    }
