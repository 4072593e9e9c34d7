from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from uuid_utils.compat import uuid7

from reports.database import TABLE, as_parameter, execute
from reports.documents import dump
from reports.errors import PlanInvalidError, PlanTooLargeError
from reports.handover import Dispatch
from reports.models import Kind, Status
from reports.plan import ChainNode, count_tasks, place
from reports.tree import Root, insert

_COUNTERS = ("position", "children_ok", "tasks_ok", "attempts", "retries", "losses", "publications")
_TEXTS = ("task", "worker", "error_code", "error_type", "error_message", "error_traceback", "error_task")


@dataclass(frozen=True, slots=True)
class Timing:
    """When an action may run. Moments are aware; ``time_budget`` is in seconds, from the first task's start."""

    not_before: datetime | None = None
    expires_at: datetime | None = None
    time_budget: float | None = None


ANY_TIME = Timing()


@transaction.atomic
def accept(  # noqa: PLR0913
    *,
    action: str,
    plan: ChainNode,
    parameters: Any,
    requested_by: int | None,
    system_call: bool = False,
    timing: Timing = ANY_TIME,
) -> tuple[UUID, list[Dispatch]]:
    """Commit an action's report with its whole plan, dispatched up to the first tasks.

    Returns the root's id and what is to be published once the transaction is committed.

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
    root = uuid7()
    _insert_root(
        id=root,
        root_id=root,
        starts_with=root,
        kind=Kind.CHAIN,
        status=Status.PENDING,
        action=action,
        system_call=system_call,
        requested_by_id=requested_by,
        parameters=document,
        deadline_at=as_parameter(timing.expires_at),
        time_budget=timing.time_budget,
        children_total=len(plan.children),
        tasks_total=tasks,
    )
    dispatches = insert(place(plan, root), Root(root, action, requested_by), starting=root)
    if timing.not_before is None:
        return root, dispatches
    _schedule(root, timing.not_before)
    return root, []


def _insert_root(**columns: Any) -> None:
    columns |= dict.fromkeys(_COUNTERS, 0) | dict.fromkeys(_TEXTS, "") | {"errors": "[]"}
    places = ", ".join(["%s"] * len(columns))
    execute(f"INSERT INTO {TABLE} ({', '.join(columns)}) VALUES ({places})", list(columns.values()))  # noqa: S608


def _schedule(root: UUID, moment: datetime) -> None:
    """Have recovery publish the first tasks at ``moment``."""
    at = as_parameter(moment)
    execute(
        f"""
        UPDATE {TABLE} SET not_before = %s, due_at = CASE WHEN kind = 'task' THEN %s END
        WHERE root_id = %s AND (id = %s OR dispatched_at IS NOT NULL) AND status <> 'ok'
        """,  # noqa: S608
        [at, at, root, root],
    )
