"""Taking old reports away, in small batches that hold nothing up."""

from collections.abc import Collection

from django.db import transaction

from reports.database import TABLE, as_uuid, execute, fetch_all, later, skip_locked

_ROOTS_PER_BATCH = 100
_TASKS_PER_BATCH = 5000
_ROWS_PER_DELETE = 1000


@transaction.atomic
def purge_batch(*, older_than: float, action: str | None = None, except_actions: Collection[str] = ()) -> int:
    """Delete some final actions, with their trees, that finished more than ``older_than`` seconds ago.

    ``action`` narrows it to one action, ``except_actions`` leaves some out. Returns how many actions were deleted.
    """
    conditions = ["parent_id IS NULL", f"finished_at IS NOT NULL AND finished_at < {later()}"]
    values: list[object] = [-older_than]
    if action is not None:
        conditions.append("action = %s")
        values.append(action)
    elif except_actions:
        conditions.append(f"action NOT IN ({', '.join(['%s'] * len(except_actions))})")
        values += except_actions
    rows = fetch_all(
        f"""
        SELECT id, tasks_total FROM {TABLE} WHERE {" AND ".join(conditions)}
        ORDER BY finished_at LIMIT {_ROOTS_PER_BATCH} {skip_locked()}
        """,  # noqa: S608
        values,
    )
    roots = []
    tasks = 0
    for id_, tasks_total in rows:
        roots.append(as_uuid(id_))
        tasks += tasks_total
        if tasks > _TASKS_PER_BATCH:
            break
    if roots:
        _delete_trees(roots)
    return len(roots)


def _delete_trees(roots: Collection[object]) -> None:
    some = ", ".join(["%s"] * len(roots))
    doomed = f"SELECT id FROM {TABLE} WHERE root_id IN ({some}) LIMIT {_ROWS_PER_DELETE}"  # noqa: S608
    while execute(f"DELETE FROM {TABLE} WHERE id IN ({doomed})", list(roots)) == _ROWS_PER_DELETE:  # noqa: S608
        pass
