"""What operators do to actions, each with its entry in the journal: to one, or to all that are selected."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from uuid_utils.compat import uuid7

from reports import journal, matches
from reports.database import batches
from reports.errors import AsyncActionsError, ReportFinalError, ReportNotRetryableError, RoomLackingError
from reports.journal import Operation, Operator
from reports.models import Verb
from reports.plan import ChainNode
from reports.search import Search
from services import actions
from services.admission import RetryRoom
from services.selection import name_of, select

Refusal = AsyncActionsError | LookupError

_REPORTS_PER_PORTION = 500
# As many as fit into memory: with smaller pieces, the same reports of many clients are read again for each.
_REPORTS_PER_LOOK = 100_000
_REPORTS_PER_PAGE = 100
_GONE = "report_not_found"

_DO: dict[Verb, Callable[[UUID], int | None]] = {Verb.CANCEL: actions.cancel, Verb.RETRY: actions.retry}


@dataclass(frozen=True, slots=True)
class Portion:
    """Some reports that follow each other: those after one id, up to another, so many of them."""

    after: UUID | None
    up_to: UUID
    size: int


def intervene(verb: Verb, report: UUID, operator: Operator) -> None:
    """Have an operator cancel or retry an action. It is written down also where it is refused.

    Raises:
        LookupError: there is no such action.
        ReportFinalError, ReportNotRetryableError: it cannot be done to this one.

    """
    _, refusal = _act(verb, report, operator)
    if refusal:
        raise refusal


def intervene_in_each(verb: Verb, reports: Sequence[UUID], operator: Operator) -> Iterator[Refusal | None]:
    """Do it to these reports, one after another. Yields why one was refused, ``None`` where it was not.

    One alone is always retried: whoever names it wants it now.

    Raises:
        RoomLackingError: before one of several that are to be retried; what was yielded is done.

    """
    room = RetryRoom()
    for done, report in enumerate(reports):
        if verb == Verb.RETRY and len(reports) > 1 and not room.is_there():
            number = len(reports) - done
            raise RoomLackingError(
                f"{number} of {len(reports)} were not retried, {report} and those after it: {room.lack}. Retry them"
                " when fewer wait, or by a search, which waits for that by itself.",
                done=done,
            )
        waiting, refusal = _act(verb, report, operator)
        room.take(waiting)
        yield refusal


def request(verb: Verb, search: Search, operator: Operator, *, plan_for: Callable[[UUID], ChainNode]) -> UUID:
    """Have an operation accepted on all reports that are searched for, and that it can change.

    ``plan_for`` returns the plan of an operation, by its id. Returns the operation's own report.

    Raises:
        SelectionInvalidError: it could change none.

    """
    operation = Operation(uuid7(), verb, select(verb, search), operator)
    with transaction.atomic():
        report = actions.request(
            name_of(verb),
            plan_for(operation.id),
            parameters={"search": operation.search.as_document()},
            requested_by=None,
            system_call=True,
        )
        journal.write_operation(operation, report)
    return report


def cut(operation_id: UUID) -> list[Portion]:
    """Cut what an operation is for into portions, each some seconds of work."""
    search = journal.find_operation(operation_id).search
    portions: list[Portion] = []
    after = None
    while ids := matches.list_ids(search, limit=_REPORTS_PER_LOOK, after=after):
        for portion in batches(ids, _REPORTS_PER_PORTION):
            portions.append(Portion(after, portion[-1], len(portion)))
            after = portion[-1]
    return portions


def work(operation_id: UUID, *, after: UUID | None, up_to: UUID) -> Iterator[int]:
    """Do it to each report of a portion, once however often this is repeated. Yields how many it has been done to.

    Goes on after the last one that the journal has. Each report has a transaction of its own: no lock is held for long.

    Raises:
        RoomLackingError: the others have to wait, or clients would be refused.

    """
    operation = journal.find_operation(operation_id)
    room = RetryRoom()
    parts = journal.list_parts(operation.id, after=after, up_to=up_to)
    done, last = len(parts), parts[-1] if parts else after
    while ids := matches.list_ids(operation.search, limit=_REPORTS_PER_PAGE, after=last, up_to=up_to):
        for id_ in ids:
            if operation.verb == Verb.RETRY and not room.is_there():
                raise RoomLackingError(f"It goes on when there is room: {room.lack}.", done=done)
            room.take(_act_once(operation, id_))
            done, last = done + 1, id_
        yield done


def sum_up(operation_id: UUID) -> dict[str, int]:
    """Return what an operation has come to: reports that it ``matched``, of which it has ``changed`` or ``refused``."""
    tally = journal.tally(operation_id)
    return {"matched": tally.changed + tally.refused, "changed": tally.changed, "refused": tally.refused}


def _act_once(operation: Operation, report: UUID) -> int:
    try:
        waiting, _ = _act(operation.verb, report, operation.operator, part_of=operation.id)
    except IntegrityError:
        # Another attempt at this portion, whose worker was not lost after all, has done it: this one did nothing.
        if not journal.has_part(operation.id, report):
            raise
        return 0
    return waiting


@transaction.atomic
def _act(verb: Verb, report: UUID, operator: Operator, *, part_of: UUID | None = None) -> tuple[int, Refusal | None]:
    """Change a report and write that down, both or neither. Returns how many tasks wait, and why it was not changed."""
    waiting: int | None = 0
    refusal: Refusal | None = None
    try:
        waiting = _DO[verb](report)
    except (ReportFinalError, ReportNotRetryableError, LookupError) as error:
        refusal = error
    journal.write(verb, report, operator, refused=_code_of(refusal), part_of=part_of)
    return waiting or 0, refusal


def _code_of(refusal: Refusal | None) -> str:
    if refusal is None:
        return ""
    return refusal.code if isinstance(refusal, AsyncActionsError) else _GONE
