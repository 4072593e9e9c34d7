"""Reports brought on by hand, as a worker would."""

from typing import Any
from uuid import UUID

from reports import acceptance, claiming, execution, intervention
from reports.attempts import Claim
from reports.failure import Failure
from reports.models import AsyncActionReport
from reports.plan import ChainNode, GroupNode, TaskNode
from reports.requests import ANY_TIME, Timing


def task(name: str) -> TaskNode:
    return TaskNode(name, '{"args": [], "kwargs": {}}')


TWO_STEPS = ChainNode((task("invoices.fetch"), task("invoices.store")))
A_GROUP = ChainNode((GroupNode((task("invoices.fetch"), task("invoices.fetch"))),))


class Ledger:
    """Accepts reports for one client and records what becomes of their tasks."""

    def __init__(self, owner: int) -> None:
        self.owner = owner

    def accept(
        self,
        plan: ChainNode = TWO_STEPS,
        *,
        action: str = "sync-invoices",
        parameters: Any = None,
        owner: int | None = None,
        timing: Timing = ANY_TIME,
    ) -> UUID:
        report, _ = acceptance.accept(
            action=action,
            plan=plan,
            parameters={"customer_id": "cus_ada"} if parameters is None else parameters,
            requested_by=self.owner if owner is None else owner,
            timing=timing,
        )
        return report

    def claim(self, root: UUID) -> Claim:
        """Claim the first task whose turn has come."""
        waiting = AsyncActionReport.objects.filter(
            root=root, kind="task", status="pending", dispatched_at__isnull=False
        )
        report = waiting.order_by("id")[0]
        claim = claiming.claim(report.id, task=report.task, worker="worker@here")
        assert claim is not None
        return claim

    def succeed(self, root: UUID, *results: Any) -> None:
        """Record these results, for one task after another."""
        for result in results:
            execution.succeed(self.claim(root), result)

    def record(self, claim: Claim, result: Any) -> None:
        """Record the result of a task that was claimed before."""
        execution.succeed(claim, result)

    def cancel(self, root: UUID) -> None:
        """Cancel the action."""
        intervention.cancel(root)

    def resume(self, root: UUID) -> None:
        """Have the failed or cancelled action go on."""
        intervention.resume(root)

    def fail(self, root: UUID, error: Exception | None = None) -> None:
        """Record that the next task has failed."""
        claim = self.claim(root)
        execution.fail(claim.id, claim.attempt, self._failure(claim, error))

    def put_off(self, root: UUID, error: Exception | None = None, *, delay: float = 0) -> None:
        """Record that the next task's attempt has failed, and that it waits for another one."""
        claim = self.claim(root)
        execution.put_off(claim.id, claim.attempt, self._failure(claim, error), delay=delay)

    def _failure(self, claim: Claim, error: Exception | None) -> Failure:
        return Failure.of(
            error or LookupError("No customer cus_ada."), task=claim.task, traceback="Traceback: secret.py", code="gone"
        )
