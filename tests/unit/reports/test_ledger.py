"""The ledger under any sequence of what workers, clients and accidents do to it: it never contradicts itself."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from reports import claiming, execution, intervention, waiting
from reports.codes import EXPIRED, TIMED_OUT, WORKER_LOST
from reports.errors import AttemptLostError, ReportFinalError, ReportNotRetryableError
from reports.inputs import result_of
from reports.models import FINAL, AsyncActionReport, Kind, Status
from services import recovery
from tests.unit.reports import ledger
from tests.unit.reports.plans import plans
from tests.unit.reports.reference import digest, evaluate, labelled

ALL = AsyncActionReport.objects
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
_MAX_ROOTS = 3
_picks = st.integers(0, 999)


class Ledger(RuleBasedStateMachine):
    """Actions that run side by side, their tasks in any order; ``plans`` and ``grown`` are what they must come to."""

    def __init__(self) -> None:
        super().__init__()
        self._transaction = transaction.atomic()
        self._transaction.__enter__()
        self.labels = itertools.count()
        self.plans = {}  # by root
        self.grown = {}  # by label
        self.claims = []
        self.over = []
        self.done = {}  # by id

    def teardown(self) -> None:
        try:
            self.run_to_the_end()
        finally:
            transaction.set_rollback(True)
            self._transaction.__exit__(None, None, None)

    # What clients do

    @initialize(plan=plans(max_leaves=10))
    def begin(self, plan):
        self.request(plan)

    @precondition(lambda self: len(self.plans) < _MAX_ROOTS)
    @rule(plan=plans(max_leaves=6))
    def request(self, plan):
        plan = labelled(plan, self.labels)
        self.plans[ledger.accept(*plan.children)] = plan

    @precondition(lambda self: len(self.over) > 1)
    @rule(pick=_picks)
    def cancel(self, pick):
        root = self._pick(list(self.plans), pick)
        was = ALL.get(id=root).status
        if was in FINAL:
            with pytest.raises(ReportFinalError):
                intervention.cancel(root)
        else:
            intervention.cancel(root)
        assert ALL.get(id=root).status == (was if was in FINAL else Status.CANCELLED)

    @precondition(lambda self: self.over)
    @rule(pick=_picks)
    def resume(self, pick):
        root = self._pick(list(self.plans), pick)
        if ALL.get(id=root).status in (Status.FAILED, Status.CANCELLED):
            intervention.resume(root)
            assert ALL.get(id=root).status in (Status.PENDING, Status.RUNNING, Status.OK)
        else:
            with pytest.raises(ReportNotRetryableError):
                intervention.resume(root)

    # What workers do

    @rule(pick=_picks)
    def claim(self, pick):
        tasks = list(ALL.filter(kind=Kind.TASK).order_by("id"))
        if not tasks:
            return
        task = self._pick(tasks, pick)
        claim = claiming.claim(task.id, task=task.task, worker="w")
        assert (claim is not None) == is_claimable(task)
        if claim:
            self.claims.append(claim)

    @rule(pick=_picks, members=st.integers(1, 3))
    def claim_some(self, pick, members):
        tasks = claimable_tasks()
        for task in tasks[pick % len(tasks) :][:members] if tasks else ():
            self.claims.append(claiming.claim(task.id, task=task.task, worker="w"))

    @rule(pick=_picks)
    def work(self, pick):
        tasks = claimable_tasks()
        if tasks:
            task = self._pick(tasks, pick)
            self.claims.append(claiming.claim(task.id, task=task.task, worker="w"))
            self.succeed(-1)

    @precondition(lambda self: self.claims)
    @rule(pick=_picks)
    def succeed(self, pick):
        claim = self._end(pick)
        execution.succeed(claim, digest(claiming.arguments_of(claim)))

    @precondition(lambda self: self.claims)
    @rule(pick=_picks, plan=plans(max_leaves=4))
    def expand(self, pick, plan):
        claim = self._end(pick)
        plan = labelled(plan, self.labels)
        self.grown[claim.args[-1]] = plan
        execution.expand(claim, plan)

    @precondition(lambda self: self.claims)
    @rule(pick=_picks)
    def fail(self, pick):
        claim = self._end(pick)
        execution.fail(claim.id, claim.attempt, ledger.failure_of(claim.task))

    @precondition(lambda self: self.claims)
    @rule(pick=_picks, delay=st.sampled_from([0, ledger.LONG]), lost=st.booleans())
    def put_off(self, pick, delay, lost):
        claim = self._end(pick)
        execution.put_off(claim.id, claim.attempt, ledger.failure_of(claim.task), delay=delay, lost=lost)

    @precondition(lambda self: self.over)
    @rule(pick=_picks, write=st.sampled_from(["succeed", "expand", "fail", "put_off", "report_progress"]))
    def write_too_late(self, pick, write):
        claim = self._pick(self.over, pick)
        failure = ledger.failure_of(claim.task)
        writes = {
            "succeed": lambda: execution.succeed(claim, None),
            "expand": lambda: execution.expand(claim, next(iter(self.plans.values()))),
            "fail": lambda: execution.fail(claim.id, claim.attempt, failure),
            "put_off": lambda: execution.put_off(claim.id, claim.attempt, failure, delay=0),
            "report_progress": lambda: execution.report_progress(claim, {}),
        }
        before = ledger.snapshot()
        with pytest.raises(AttemptLostError):
            writes[write]()
        assert ledger.snapshot() == before

    @precondition(lambda self: self.claims)
    @rule(pick=_picks)
    def rescue(self, pick):
        claim = self._end(pick)
        # An example may take longer than a lease on a busy machine: the others live all the same.
        ALL.filter(status=Status.RUNNING).update(heartbeat_at=datetime.now(UTC))
        ALL.filter(id=claim.id).update(heartbeat_at=LONG_AGO)
        (stale,) = waiting.take_stale(10)
        assert (stale.id, stale.attempt) == (claim.id, claim.attempt)
        recovery.rescue(stale)  # a task that nobody declared anything of: it is given up
        assert ALL.get(id=claim.id).error_code == WORKER_LOST

    @precondition(lambda self: len(self.over) > 1)
    @rule(pick=_picks)
    def expire(self, pick):
        root = self._pick(list(self.plans), pick)
        was = ALL.get(id=root).status
        ALL.filter(id=root).exclude(status__in=FINAL).update(deadline_at=LONG_AGO)
        assert waiting.find_overdue(10) == ([] if was in FINAL else [root])
        assert intervention.end_overdue(root) == (was not in FINAL)
        assert ALL.get(id=root).status == (was if was in FINAL else Status.FAILED)
        if was not in FINAL:
            assert ALL.get(id=root).error_code == (EXPIRED if was == Status.PENDING else TIMED_OUT)

    @rule()
    def let_time_pass(self):
        past = datetime.now(UTC) - timedelta(seconds=1)
        ALL.filter(status=Status.PENDING, not_before__isnull=False).update(not_before=past, due_at=past)

    # What always holds

    @invariant()
    def holds(self):
        rows = list(ALL.order_by("position"))
        children = {}
        for row in rows:
            children.setdefault(row.parent_id, []).append(row)
        for row in rows:
            if row.kind != Kind.TASK:
                assert_consistent(row, children.get(row.id, []))
        for root in children.get(None, []):
            self._assert_tree(root, [row for row in rows if row.root_id == root.id and row.id != root.id])
        for row in rows:
            if row.status == Status.OK:
                seen = (row.kind, row.result, row.attempts, row.outcome_from, row.finished_at)
                assert self.done.setdefault(row.id, seen) == seen

    def _assert_tree(self, root, below):
        tasks = [row for row in below if row.kind == Kind.TASK]
        grown = [row for row in below if row.kind == Kind.CHAIN and row.task]
        assert root.tasks_total == len(tasks) + len(grown)
        assert root.tasks_ok == sum(row.status == Status.OK for row in tasks) + len(grown)
        if root.status in FINAL:
            assert not any(row.status == Status.PENDING for row in below)
            assert not any(row.status == Status.RUNNING for row in below if row.kind != Kind.TASK)
        else:
            assert any(row.status == Status.RUNNING or is_under_way(row) for row in tasks)
        if root.status == Status.OK:
            assert {row.status for row in below} <= {Status.OK}
            assert result_of(root.id) == evaluate(self.plans[root.id], self.grown)
        elif root.status == Status.FAILED and root.error_code not in (EXPIRED, TIMED_OUT):
            (failed,) = (row for row in tasks if row.id == root.outcome_from)
            assert (failed.status, failed.task) == (Status.FAILED, root.error_task)

    # What the rules share

    def _pick(self, some, pick):
        return some[pick % len(some)]

    def _end(self, pick):
        claim = self.claims.pop(pick % len(self.claims))
        self.over.append(claim)
        return claim

    def run_to_the_end(self) -> None:
        """Let every action end well: whatever has happened, nothing may be stuck."""
        for root in self.plans:
            if ALL.get(id=root).status in (Status.FAILED, Status.CANCELLED):
                intervention.resume(root)
        self.let_time_pass()
        while True:
            self.claims += [claiming.claim(task.id, task=task.task, worker="w") for task in claimable_tasks()]
            if not self.claims:
                break
            while self.claims:
                self.succeed(0)
        self.holds()
        assert set(ALL.values_list("status", flat=True)) <= {Status.OK}


def is_under_way(task):
    return task.status == Status.PENDING and task.dispatched_at is not None and task.due_at is not None


def is_claimable(task):
    return is_under_way(task) and (task.not_before is None or task.not_before <= datetime.now(UTC))


def claimable_tasks():
    return [task for task in ALL.filter(kind=Kind.TASK).order_by("id") if is_claimable(task)]


def assert_consistent(row, children):
    """Compare a chain or a group with its children."""
    ok = [child.status == Status.OK for child in children]
    assert row.children_total == len(children)
    if row.status in (Status.FAILED, Status.CANCELLED):
        assert row.children_ok <= sum(ok)  # what was in flight has no part in it any more
    else:
        assert row.children_ok == sum(ok)
    if row.status == Status.OK:
        assert all(ok)
    if row.status == Status.RUNNING:
        assert not all(ok)
    if row.kind == Kind.CHAIN:
        for before, after in itertools.pairwise(children):
            assert before.status == Status.OK or after.dispatched_at is None
    if row.status == Status.OK:
        assert result_of(row.id) == in_place(row, children)


def in_place(row, children):
    """Return the result of a chain or a group, from its children's."""
    results = [result_of(child.id) for child in children]
    return results if row.kind == Kind.GROUP else results[-1]


@pytest.mark.django_db
def test_the_ledger_never_contradicts_itself():
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=50, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
