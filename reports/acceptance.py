"""Accepting: the one transaction after which nothing that was asked for is lost."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from reports import repeats
from reports.database import TABLE, Answer, Row, as_parameter, as_uuid, ask, batches, execute, fetch_all, now, pipelined
from reports.documents import load
from reports.errors import IdempotencyKeyReusedError, RequestsRefusedError
from reports.handover import Dispatch
from reports.plan import ChainNode, place
from reports.requests import ANY_TIME, Request, Timing
from reports.selectors import COLUMNS, Report, report_of
from reports.traces import options_with
from reports.tree import Root, insert_trees

_ROOTS_PER_INSERT = 400
# Of requests with a key: one that is repeated has its plan inserted and taken out again.
_TASKS_THAT_GO_ALONG = 20
_COLUMNS = (
    "id, root_id, starts_with, requested_by_id, action, system_call, parameters, filters, options, deadline_at,"
    " time_budget,"
    " children_total, tasks_total, idempotency_key, fingerprint, kind, status, position, children_ok, tasks_ok,"
    " attempts, retries, losses, publications, errors, task, worker, error_code, error_type, error_message,"
    " error_traceback, error_task"
)
_ROW = f"({', '.join(['%s'] * 15)}, 'chain', 'pending', 0, 0, 0, 0, 0, 0, 0, '[]', '', '', '', '', '', '', '')"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request has its report: a new one, or that of an earlier request with the same key, which is repeated.

    ``as_new`` is a new report as it is until somebody does something with it, where that is known.
    """

    report: UUID
    repeated: bool = False
    as_new: Report | None = field(default=None, compare=False)


Outcome = Accepted | IdempotencyKeyReusedError


def accept(  # noqa: PLR0913
    *,
    action: str,
    plan: ChainNode,
    parameters: Any,
    requested_by: int | None,
    system_call: bool = False,
    timing: Timing = ANY_TIME,
    trace: str | None = None,
) -> tuple[UUID, list[Dispatch]]:
    """Commit an action's report with its whole plan, dispatched up to the first tasks.

    Returns the root's id and what is to be published once the transaction is committed.

    Raises:
        DocumentInvalidError, DocumentTooLargeError: ``parameters`` cannot be kept.
        PlanInvalidError, PlanTooLargeError: the plan is empty, or has too many tasks.

    """
    request = Request.of(action, plan, parameters=parameters, system_call=system_call, timing=timing)
    [accepted], dispatches = accept_all([request], requested_by=requested_by, trace=trace)
    assert isinstance(accepted, Accepted)  # noqa: S101  it has no key
    return accepted.report, dispatches


@transaction.atomic
def accept_all(
    requests: Sequence[Request],
    *,
    requested_by: int | None,
    all_or_nothing: bool = False,
    trace: str | None = None,
) -> tuple[list[Outcome], list[Dispatch]]:
    """Commit a client's requests with their whole plans, dispatched up to the first tasks.

    Of requests with one key, also ones that others are accepting at this moment, one has a report made; the others get
    that report, or are refused where they ask for something else. ``trace`` is the traceparent that they belong to.
    Returns what became of each request, and what is to be published once the transaction is committed.

    Raises:
        RequestsRefusedError: some are refused, and it was to be ``all_or_nothing``: it is nothing.

    """
    # In the order of the requests, which lists show them in.
    ids = [uuid7() for _ in requests]
    outcomes: dict[int, Outcome] = {}
    dispatches: list[Dispatch] = []
    # By their keys: two that accept several of the same at the same moment must not wait for each other.
    left = sorted(range(len(requests)), key=lambda at: _key_of(requests[at]))
    while left:
        planted, begun = _plant({ids[at]: requests[at] for at in left}, requested_by, trace)
        outcomes |= {at: _accepted(ids[at], requests[at], planted[ids[at]]) for at in left if ids[at] in planted}
        dispatches += begun
        left = [at for at in left if at not in outcomes]
        known = repeats.find(requested_by, {_key_of(requests[at]) for at in left}) if left else {}
        for at in left:
            if earlier := known.get(_key_of(requests[at])):
                outcomes[at] = _repeated(requests[at], earlier)
        # Whose report was purged just now has its key to itself.
        left = [at for at in left if at not in outcomes]
    in_order = [outcomes[at] for at in range(len(requests))]
    if all_or_nothing and not all(isinstance(outcome, Accepted) for outcome in in_order):
        raise RequestsRefusedError(in_order)
    return in_order, dispatches


def _plant(
    requests: Mapping[UUID, Request], requested_by: int | None, trace: str | None
) -> tuple[dict[UUID, Report | None], list[Dispatch]]:
    """Insert the reports that clients poll, but those whose key is taken, and the plans below them.

    Returns the new ones, and what is to be published at once. Plans go along before it is known whether a key is taken,
    where there is none or they are small: the database then answers once for both.
    """
    go_along = sum(request.tasks for request in requests.values() if request.identity) <= _TASKS_THAT_GO_ALONG
    dispatches: list[Dispatch] = []
    with pipelined():
        answers = [_insert_roots(batch, requested_by, trace) for batch in batches(requests.items(), _ROOTS_PER_INSERT)]
        if go_along:
            dispatches = _insert_plans(requests, requested_by)
    planted = {as_uuid(row[0]): _as_new(row) for answer in answers for row in answer()}
    if not go_along:
        dispatches = _insert_plans({root: requests[root] for root in requests if root in planted}, requested_by)
    elif len(planted) < len(requests):
        uprooted = _uproot(requests.keys() - planted.keys())
        dispatches = [dispatch for dispatch in dispatches if dispatch.id not in uprooted]
    return planted, dispatches


def _insert_roots(requests: Sequence[tuple[UUID, Request]], requested_by: int | None, trace: str | None) -> Answer:
    """Insert roots, but those whose key is taken. Returns the ids of those that were inserted, and all of a single one.

    Waits for whoever is about to take a key, and costs nothing where there is no key.
    """
    returned = f"{COLUMNS}, parameters, {now()}" if len(requests) == 1 else "id"
    return ask(
        f"""
        INSERT INTO {TABLE} ({_COLUMNS}) VALUES {", ".join([_ROW] * len(requests))}
        ON CONFLICT (requested_by_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
        RETURNING {returned}
        """,  # noqa: S608
        [value for id_, request in requests for value in _values(id_, request, requested_by, trace)],
    )


def _insert_plans(requests: Mapping[UUID, Request], requested_by: int | None) -> list[Dispatch]:
    by_moment: dict[datetime | None, dict[UUID, Request]] = {}
    for root, request in requests.items():
        by_moment.setdefault(request.timing.not_before, {})[root] = request
    dispatches: list[Dispatch] = []
    for moment, together in by_moment.items():
        begun = insert_trees(
            (place(request.plan, root), Root(root, request.action, requested_by)) for root, request in together.items()
        )
        if moment is None:
            dispatches += begun
        else:
            _schedule(together.keys(), moment)
    return dispatches


def _uproot(roots: Collection[UUID]) -> set[UUID]:
    """Take out again what was planted below roots that there are not. Returns the ids of it."""
    uprooted: set[UUID] = set()
    for batch in batches(roots, _ROOTS_PER_INSERT):
        rows = fetch_all(
            f"DELETE FROM {TABLE} WHERE root_id IN ({', '.join(['%s'] * len(batch))}) RETURNING id",  # noqa: S608
            batch,
        )
        uprooted |= {as_uuid(id_) for (id_,) in rows}
    return uprooted


def _values(id_: UUID, request: Request, requested_by: int | None, trace: str | None) -> list[Any]:
    identity = request.identity
    return [
        *(id_, id_, id_, requested_by),
        *(request.action, request.system_call, request.document, request.filters, options_with(trace)),
        *(as_parameter(request.timing.expires_at), request.timing.time_budget),
        *(len(request.plan.children), request.tasks),
        *((identity.key, identity.fingerprint) if identity else (None, None)),
    ]


def _key_of(request: Request) -> str:
    return request.identity.key if request.identity else ""


def _as_new(row: Row) -> Report | None:
    return report_of(row, row[-1], parameters=load(row[-2])) if len(row) > 1 else None


def _accepted(id_: UUID, request: Request, report: Report | None) -> Outcome:
    # A schedule is written after the report, and what has no task in it ends then.
    is_as_inserted = request.timing.not_before is None and request.tasks
    return Accepted(id_, as_new=report if is_as_inserted else None)


def _repeated(request: Request, earlier: repeats.Known) -> Outcome:
    if request.identity and request.identity.fingerprint == earlier.fingerprint:
        return Accepted(earlier.report, repeated=True)
    return IdempotencyKeyReusedError(
        f"The key {_key_of(request)} stands for another request: another action, other parameters or another timing."
        " They are compared as they were sent, before defaults."
    )


def _schedule(roots: Collection[UUID], moment: datetime) -> None:
    """Have recovery publish the first tasks at ``moment``."""
    at = as_parameter(moment)
    execute(
        f"""
        UPDATE {TABLE} SET not_before = %s, due_at = CASE WHEN kind = 'task' THEN %s END
        WHERE root_id IN ({", ".join(["%s"] * len(roots))}) AND (parent_id IS NULL OR dispatched_at IS NOT NULL)
            AND status <> 'ok'
        """,  # noqa: S608
        [at, at, *roots],
    )
