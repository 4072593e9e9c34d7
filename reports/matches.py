"""All the reports that a search finds: how many, and piece by piece, the oldest first."""

from uuid import UUID

from reports.database import as_uuid, fetch_all, fetch_one
from reports.search import Search


def count(search: Search, *, most: int) -> int:
    """Return how many actions' reports are searched for; ``most`` where there are as many, or more."""
    found, values = search.statement(limit=most, after=None)
    row = fetch_one(f"SELECT COUNT(*) FROM (SELECT id FROM ({found}) found LIMIT %s) counted", [*values, most])  # noqa: S608
    return int(row[0]) if row else 0


def list_ids(search: Search, *, limit: int, after: UUID | None = None, up_to: UUID | None = None) -> list[UUID]:
    """Return up to ``limit`` ids of the actions' reports that are searched for, in their order.

    ``after`` one id, ``up_to`` another. Where nobody's reports in particular are searched for, as many may be read of
    each client: a small piece costs as much as the clients are many, unless ``up_to`` ends it.
    """
    found, values = search.statement(limit=limit, after=after, up_to=up_to)
    rows = fetch_all(f"SELECT id FROM ({found}) found ORDER BY id {search.direction} LIMIT %s", [*values, limit])  # noqa: S608
    return [as_uuid(id_) for (id_,) in rows]
