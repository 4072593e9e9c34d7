"""A worker made of plain calls, and the ledger as one sees it at a glance. Tests speak of tasks by their names."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from reports import acceptance, claiming, execution
from reports.attempts import Claim
from reports.failure import Failure
from reports.handover import Dispatch
from reports.models import AsyncActionReport, Kind
from reports.plan import Node
from tests.unit.reports.plans import chain

WORKER = "worker-1"
LONG = 3600.0  # seconds


def accept(*steps: Node | str, **options: Any) -> UUID:
    """Accept an action of these steps and return its root's id."""
    root, _ = accepted(*steps, **options)
    return root


def accepted(*steps: Node | str, **options: Any) -> tuple[UUID, list[str]]:
    """Accept an action of these steps and return its root's id, and what is to be published."""
    options = {"action": "test", "parameters": None, "requested_by": None, **options}
    root, dispatches = acceptance.accept(plan=chain(*steps), **options)
    return root, names(dispatches)


def names(dispatches: Iterable[Dispatch]) -> list[str]:
    """Return the names of the tasks that are to be published, sorted."""
    return sorted(dispatch.task for dispatch in dispatches)


def find(name: str, root: UUID | None = None) -> AsyncActionReport:
    """Return the report of the one task of that name, in the tree of ``root`` where there are several."""
    reports = AsyncActionReport.objects.filter(task=name)
    return reports.get(root=root) if root else reports.get()


def claim(name: str, *, worker: str = WORKER, root: UUID | None = None) -> Claim:
    """Claim the task of that name, whose turn it must be."""
    claimed = claiming.claim(find(name, root).id, task=name, worker=worker)
    assert claimed is not None, f"{name} cannot be claimed: {draw_all()}"
    return claimed


def succeed(name: str, result: Any = None, *, root: UUID | None = None) -> list[str]:
    """Run a task to its end and return what is to be published then."""
    return names(execution.succeed(claim(name, root=root), result))


def expand(name: str, *steps: Node | str, root: UUID | None = None) -> list[str]:
    """Run a task that returns signatures and return what is to be published then."""
    return names(execution.expand(claim(name, root=root), chain(*steps)))


def fail(name: str, failure: Failure | None = None, *, root: UUID | None = None) -> None:
    """Run a task that fails for good."""
    claimed = claim(name, root=root)
    execution.fail(claimed.id, claimed.attempt, failure or failure_of(name))


def put_off(name: str, *, delay: float = 0, lost: bool = False, root: UUID | None = None) -> None:
    """Run a task that is to be tried again."""
    claimed = claim(name, root=root)
    execution.put_off(claimed.id, claimed.attempt, failure_of(name), delay=delay, lost=lost)


def failure_of(name: str, message: str = "It broke.") -> Failure:
    """Return a failure of that task."""
    return Failure("broken", "BrokenError", message, name, "Traceback ...", retryable=True)


def snapshot() -> list[dict[str, Any]]:
    """Return every row of the ledger, whole."""
    return list(AsyncActionReport.objects.order_by("id").values())


def change(id_: UUID, **columns: Any) -> None:
    """Make a row what only time, or a crash, makes of it."""
    assert AsyncActionReport.objects.filter(id=id_).update(**columns) == 1


def draw(root: UUID) -> str:
    """Return a tree as text, such as ``running[a ok, running(b claimable, c running), d waiting]``.

    Chains are in brackets, groups in parentheses. A task that is pending waits for others, is delayed, or claimable.
    """
    rows = list(AsyncActionReport.objects.filter(root=root).order_by("position"))
    children: dict[UUID | None, list[AsyncActionReport]] = {}
    for row in rows:
        children.setdefault(row.parent_id, []).append(row)

    def draw_one(row: AsyncActionReport) -> str:
        if row.kind == Kind.TASK:
            return f"{row.task} {_state(row)}"
        inner = ", ".join(map(draw_one, children.get(row.id, [])))
        return f"{row.status}[{inner}]" if row.kind == Kind.CHAIN else f"{row.status}({inner})"

    return draw_one(children[None][0])


def draw_all() -> str:
    """Return all trees as text."""
    roots = AsyncActionReport.objects.filter(parent=None).order_by("id")
    return "; ".join(draw(root.id) for root in roots)


def _state(row: AsyncActionReport) -> str:
    if row.status != "pending":
        return str(row.status)
    if row.dispatched_at is None:
        return "waiting"
    return "delayed" if row.not_before and row.not_before > datetime.now(UTC) else "claimable"
