"""Results, which the ledger keeps once, at the task that returned them, and hands over by reference."""

from typing import Any
from uuid import UUID

from reports.database import TABLE, as_uuid, fetch_all
from reports.documents import load
from reports.models import Kind


def result_of(id_: UUID) -> Any:
    """Return the result of a report that is ok: a task's own, a chain's last one, a group's as a list in order."""
    rows = fetch_all(
        f"""
        SELECT held.id, held.kind, held.result FROM {TABLE} asked
        JOIN {TABLE} held ON held.id = COALESCE(asked.outcome_from, asked.id)
        WHERE asked.id = %s
        """,  # noqa: S608
        [id_],
    )
    if not rows:
        raise LookupError(f"There is no report {id_}.")
    holder, kind, result = rows[0]
    return _results_of_group(as_uuid(holder)) if kind == Kind.GROUP else load(result)


def _results_of_group(group: UUID) -> list[Any]:
    rows = fetch_all(
        f"""
        SELECT held.id, held.kind, held.result FROM {TABLE} member
        JOIN {TABLE} held ON held.id = COALESCE(member.outcome_from, member.id)
        WHERE member.parent_id = %s ORDER BY member.position
        """,  # noqa: S608
        [group],
    )
    return [_results_of_group(as_uuid(holder)) if kind == Kind.GROUP else load(result) for holder, kind, result in rows]
