"""Operations on many reports: actions that operators have run, never clients. The work is done in services."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.canvas import Signature
from django.db import OperationalError

from reports.errors import RoomLackingError
from reports.journal import Operator
from reports.models import Verb
from reports.search import Search
from services import interventions
from services.interventions import Portion
from tasks.base import BaseTask
from tasks.canvas import plan_of
from tasks.chainable import chainable

_PAUSE_WITHOUT_ROOM = 5  # seconds

Plan = tuple[Signature[Any], ...]


class InterventionTask(BaseTask):
    """May be repeated, by whoever is there: what it has done to a report is written down with what it did."""

    abstract = True
    retry_on_worker_lost = True
    autoretry_for = (OperationalError,)  # the database is away, or another transaction was in the way
    retry_backoff = True
    retry_backoff_max = 60  # seconds
    max_retries = 5


@shared_task(base=InterventionTask, name="interventions.cut")
def __cut(operation: str) -> Plan | None:
    portions = interventions.cut(UUID(operation))
    return work_on(operation, portions) if portions else None


# It waits for room as often as it takes, and each time is a retry. So it is tried again after every OperationalError,
# too, however many there are: until its operation is cancelled.
@shared_task(base=InterventionTask, name="interventions.work", bind=True, max_retries=None)
def __work(  # noqa: PLR0913  where it starts, where it ends, and what is shown
    self: BaseTask, operation: str, after: str | None, up_to: str, before: int, total: int
) -> None:
    try:
        for done in interventions.work(UUID(operation), after=UUID(after) if after else None, up_to=UUID(up_to)):
            self.report_progress(before + done, max(total, before + done))
            self.raise_if_cancelled()
    except RoomLackingError as lack:
        self.report_progress(before + lack.done, max(total, before + lack.done), str(lack))
        self.retry(exc=lack, countdown=_PAUSE_WITHOUT_ROOM)


@shared_task(base=InterventionTask, name="interventions.sum_up")
def __sum_up(operation: str) -> dict[str, int]:
    return interventions.sum_up(UUID(operation))


@chainable
def intervene_in_all(operation: str) -> Plan:
    """Do what an operation is for to all reports that it is for. Result: how many were matched, changed, refused."""
    return __cut.si(operation), __sum_up.si(operation)


@chainable
def work_on(operation: str, portions: Sequence[Portion]) -> Iterator[Signature[Any]]:
    """Work through the portions, one after another: an operation keeps one process of the workers busy, not all."""
    total = sum(portion.size for portion in portions)
    before = 0
    for portion in portions:
        after = str(portion.after) if portion.after else None
        yield __work.si(operation, after, str(portion.up_to), before, total)
        before += portion.size


def request(verb: Verb, search: Search, operator: Operator) -> UUID:
    """Have an operation accepted on all reports that are searched for, and that it can change. Returns its own report.

    Raises:
        SelectionInvalidError: it could change none.

    """
    return interventions.request(verb, search, operator, plan_for=lambda id_: plan_of(intervene_in_all(str(id_))))
