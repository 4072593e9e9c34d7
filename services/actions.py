"""What a client may have done with an action."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from reports import acceptance, intervention
from reports.acceptance import Accepted, Outcome
from reports.handover import Dispatch
from reports.plan import ChainNode
from reports.requests import ANY_TIME, Request, Timing
from services import tracing
from services.dispatch import publish
from services.metrics.counted import count_accepted

# Seconds that a client waits for messages to be published, however many there are; recovery publishes the others.
_PUBLISHING = 1.0


def request(  # noqa: PLR0913
    action: str,
    plan: ChainNode,
    *,
    parameters: Any,
    requested_by: int | None,
    system_call: bool = False,
    timing: Timing = ANY_TIME,
) -> UUID:
    """Accept an action: commit its report with the whole plan, then dispatch its first tasks.

    ``parameters`` is the validated input as JSON values, ``requested_by`` the client's user id.
    Returns the report's id. Inside a transaction of the caller's, dispatching waits for its commit.

    Raises:
        DocumentInvalidError, DocumentTooLargeError: ``parameters`` cannot be kept.
        PlanInvalidError, PlanTooLargeError: the plan has no task in it, or too many.

    """
    report, dispatches = acceptance.accept(
        action=action,
        plan=plan,
        parameters=parameters,
        requested_by=requested_by,
        system_call=system_call,
        timing=timing,
        trace=tracing.current(),
    )
    _follow_up([action], dispatches)
    return report


def request_all(
    requests: Sequence[Request], *, requested_by: int | None, all_or_nothing: bool = False
) -> list[Outcome]:
    """Accept several actions of one client in one transaction, then dispatch their first tasks.

    Returns what became of each: its report, which is an earlier one where the request repeats one with the same key,
    or the error that refuses it.

    Raises:
        RequestsRefusedError: some are refused, and it was to be ``all_or_nothing``: it is nothing.

    """
    outcomes, dispatches = acceptance.accept_all(
        requests, requested_by=requested_by, all_or_nothing=all_or_nothing, trace=tracing.current()
    )
    _follow_up(
        [
            request.action
            for request, outcome in zip(requests, outcomes, strict=True)
            if isinstance(outcome, Accepted) and not outcome.repeated
        ],
        dispatches,
    )
    return outcomes


def cancel(report: UUID) -> None:
    """Cancel an action: it is final at once and nothing more of it starts.

    Raises:
        LookupError: there is no such action.
        ReportFinalError: it is final already.

    """
    intervention.cancel(report)


def retry(report: UUID) -> int:
    """Resume a failed or cancelled action at what is not ok yet. Returns how many of its tasks wait for a worker.

    Raises:
        LookupError: there is no such action.
        ReportNotRetryableError: it has not failed and was not cancelled.

    """
    with transaction.atomic():
        dispatches = intervention.resume(report)
        transaction.on_commit(lambda: publish(dispatches, within=_PUBLISHING), robust=True)
    return len(dispatches)


def _follow_up(actions: Sequence[str], dispatches: Sequence[Dispatch]) -> None:
    """Count what is accepted and publish what is dispatched, once it is committed."""
    transaction.on_commit(lambda: count_accepted(actions), robust=True)
    transaction.on_commit(lambda: publish(dispatches, within=_PUBLISHING), robust=True)
