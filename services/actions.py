"""What a client may have done with an action."""

from typing import Any
from uuid import UUID

from django.db import transaction

from reports import acceptance
from reports.plan import ChainNode
from services.dispatch import publish


def request(
    action: str, plan: ChainNode, *, parameters: Any, requested_by: int | None, system_call: bool = False
) -> UUID:
    """Accept an action: commit its report with the whole plan, then dispatch its first tasks.

    ``parameters`` is the validated input as JSON values, ``requested_by`` the client's user id.
    Returns the report's id. Inside a transaction of the caller's, dispatching waits for its commit.

    Raises:
        DocumentInvalidError, DocumentTooLargeError: ``parameters`` cannot be kept.
        PlanInvalidError, PlanTooLargeError: the plan has no task in it, or too many.

    """
    report, dispatches = acceptance.accept(
        action=action, plan=plan, parameters=parameters, requested_by=requested_by, system_call=system_call
    )
    transaction.on_commit(lambda: publish(dispatches), robust=True)
    return report
