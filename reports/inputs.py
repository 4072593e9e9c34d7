"""Results, which the ledger keeps once, at the task that returned them, and hands over by reference."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from reports.database import TABLE, Row, as_uuid, fetch_all
from reports.documents import load
from reports.models import Kind

_IDS_PER_QUERY = 500


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
    return results_of_group(as_uuid(holder)) if kind == Kind.GROUP else load(result)


def results_of_group(group: UUID) -> list[Any]:
    """Return the results of a group's members in order, by one query for each level of groups in each other."""
    gathered: dict[UUID, list[Any]] = {group: []}
    asked = [group]
    while asked:
        rows = [row for batch in _batches(asked) for row in _members_of(batch)]
        asked = []
        for parent, holder, kind, result in rows:
            value = load(result)
            if kind == Kind.GROUP:
                value = gathered[as_uuid(holder)] = []
                asked.append(as_uuid(holder))
            gathered[as_uuid(parent)].append(value)
    return gathered[group]


def _members_of(groups: Sequence[UUID]) -> list[Row]:
    return fetch_all(
        f"""
        SELECT member.parent_id, held.id, held.kind, held.result FROM {TABLE} member
        JOIN {TABLE} held ON held.id = COALESCE(member.outcome_from, member.id)
        WHERE member.parent_id IN ({", ".join(["%s"] * len(groups))}) ORDER BY member.parent_id, member.position
        """,  # noqa: S608
        groups,
    )


def _batches(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (ids[first : first + _IDS_PER_QUERY] for first in range(0, len(ids), _IDS_PER_QUERY))
