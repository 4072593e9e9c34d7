from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from uuid_utils.compat import uuid7

from reports.database import TABLE, execute
from reports.documents import dump
from reports.errors import PlanInvalidError, PlanTooLargeError
from reports.handover import Dispatch
from reports.models import Kind, Status
from reports.plan import ChainNode, count_tasks, place
from reports.tree import Root, insert


@transaction.atomic
def accept(
    *, action: str, plan: ChainNode, parameters: Any, requested_by: int | None, system_call: bool = False
) -> tuple[UUID, list[Dispatch]]:
    """Commit an action's report with its whole plan, dispatched up to the first tasks.

    Returns the root's id and what is to be published once the transaction is committed.

    Raises:
        DocumentInvalidError, DocumentTooLargeError: ``parameters`` cannot be kept.
        PlanInvalidError, PlanTooLargeError: the plan has no task in it, or too many.

    """
    document = dump(parameters, limit=settings.REPORT_MAX_PARAMETERS_BYTES, what=f"The parameters of {action}")
    if not plan.children:
        raise PlanInvalidError(f"{action} has an empty plan: its @chainable must return at least one signature.")
    tasks = count_tasks(plan)
    if tasks > settings.REPORT_MAX_TASKS:
        raise PlanTooLargeError(f"{action} has {tasks:,} tasks; one report may have {settings.REPORT_MAX_TASKS:,}.")
    root = uuid7()
    execute(
        f"""
        INSERT INTO {TABLE} (id, root_id, position, kind, status, action, task, system_call, requested_by_id,
            parameters, starts_with, children_total, children_ok, tasks_total, tasks_ok, errors, attempts, retries,
            losses, publications, worker, error_code, error_type, error_message, error_traceback, error_task)
        VALUES (%s, %s, 0, %s, %s, %s, '', %s, %s, %s, %s, %s, 0, %s, 0, '[]', 0, 0, 0, 0, '', '', '', '', '', '')
        """,  # noqa: S608
        [
            *(root, root, Kind.CHAIN, Status.PENDING, action, system_call, requested_by),
            *(document, root, len(plan.children), tasks),
        ],
    )
    return root, insert(place(plan, root), Root(root, action, requested_by), starting=root)
