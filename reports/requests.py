"""What is asked for, found to be something that can be kept, and not kept yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.conf import settings

from reports.documents import dump
from reports.errors import PlanInvalidError, PlanTooLargeError
from reports.plan import ChainNode, count_tasks


@dataclass(frozen=True, slots=True)
class Timing:
    """When an action may run. Moments are aware; ``time_budget`` is in seconds, from the first task's start."""

    not_before: datetime | None = None
    expires_at: datetime | None = None
    time_budget: float | None = None


ANY_TIME = Timing()


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes two requests of a client one: the key that it gave them, and a digest of all that they ask for."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Request:
    """An action with its whole plan of so many ``tasks``.

    ``document`` is its parameters as JSON text, ``filters`` those of them that its report can be found by.
    """

    action: str
    plan: ChainNode
    document: str
    filters: str | None
    tasks: int
    system_call: bool
    timing: Timing
    identity: Identity | None

    @classmethod
    def of(  # noqa: PLR0913
        cls,
        action: str,
        plan: ChainNode,
        *,
        parameters: Any,
        filters: Mapping[str, Any] | None = None,
        system_call: bool = False,
        timing: Timing = ANY_TIME,
        identity: Identity | None = None,
    ) -> Self:
        """Return the request, which the ledger will take.

        Raises:
            DocumentInvalidError, DocumentTooLargeError: ``parameters`` cannot be kept.
            PlanInvalidError, PlanTooLargeError: the plan is empty, or has too many tasks.

        """
        document = dump(parameters, limit=settings.REPORT_MAX_PARAMETERS_BYTES, what=f"The parameters of {action}")
        if not plan.children:
            raise PlanInvalidError(f"{action} has an empty plan: its @chainable must return at least one signature.")
        tasks = count_tasks(plan)
        if tasks > settings.REPORT_MAX_TASKS:
            raise PlanTooLargeError(f"{action} has {tasks:,} tasks; one report may have {settings.REPORT_MAX_TASKS:,}.")
        found_by = dump(dict(filters), limit=len(document), what=f"The filters of {action}") if filters else None
        return cls(action, plan, document, found_by, tasks, system_call, timing, identity)
