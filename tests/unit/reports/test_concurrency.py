"""Workers, clients and recovery side by side on one tree, in threads, on either database."""

from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from reports import claiming, execution, intervention, waiting
from reports.attempts import Claim
from reports.database import limit_lock_waits
from reports.errors import AttemptLostError, ReportFinalError, ReportNotRetryableError
from reports.models import AsyncActionReport, Status
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain, group
from tests.unit.reports.rush import at_once

pytestmark = pytest.mark.django_db(transaction=True)

ALL = AsyncActionReport.objects
ROUNDS = 10
PAST = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(params=range(ROUNDS))
def _again(request):
    """Several rounds: who comes first is another one each time."""


again = pytest.mark.usefixtures("_again")


def succeeding(claim, result=None):
    return lambda: ledger.names(execution.succeed(claim, result))


def failing(claim):
    return lambda: execution.fail(claim.id, claim.attempt, ledger.failure_of(claim.task))


def of_kind(outcomes, kind):
    return [outcome for outcome in outcomes if isinstance(outcome, kind)]


def test_of_many_that_claim_a_task_one_gets_it():
    ledger.accept("a")
    id_ = ledger.find("a").id
    outcomes = at_once(*[lambda n=n: claiming.claim(id_, task="a", worker=f"w{n}") for n in range(8)])
    (claim,) = of_kind(outcomes, Claim)
    assert outcomes.count(None) == 7
    row = ledger.find("a")
    assert (row.attempts, row.worker) == (1, f"w{outcomes.index(claim)}")


@pytest.fixture
def somebody():
    """A connection of somebody else's."""
    if connection.vendor != "postgresql":
        pytest.skip("In SQLite there is only the one lock.")
    with psycopg.connect(**connection.get_connection_params()) as other:
        yield other


def test_a_report_that_somebody_keeps_locked_takes_no_heartbeat_from_others(somebody):
    ledger.accept(group("a", "b"))
    claims = [ledger.claim(name, worker="w1") for name in "ab"]
    ALL.filter(task__in="ab").update(heartbeat_at=PAST)
    somebody.execute("SELECT id FROM reports_asyncactionreport WHERE id = %s FOR UPDATE", [claims[0].id])
    waiting.beat([claim.id for claim in claims], worker="w1")
    assert [ledger.find(name).heartbeat_at > PAST for name in "ab"] == [False, True]


def test_who_limits_its_waits_for_locks_is_told_soon(somebody):
    root = ledger.accept("a")
    somebody.execute("SELECT id FROM reports_asyncactionreport WHERE id = %s FOR UPDATE", [root])
    limit_lock_waits(0.01)
    try:
        with pytest.raises(OperationalError, match="lock timeout"):
            intervention.cancel(root)
        somebody.rollback()
        intervention.cancel(root)
    finally:
        connection.close()  # others want to wait
    assert ALL.get(id=root).status == Status.CANCELLED


def test_who_stands_still_in_a_transaction_loses_it(somebody, settings):
    """Ask PostgreSQL what it will do."""
    kept = somebody.execute("SHOW idle_in_transaction_session_timeout").fetchone()
    assert kept == (f"{settings.DATABASE_IDLE_TRANSACTION_MAX / 60:.0f}min",)


@again
def test_of_members_that_finish_at_once_one_starts_what_follows():
    root = ledger.accept(group("a", "b", "c"), "d")
    outcomes = at_once(*[succeeding(ledger.claim(name)) for name in "abc"])
    assert sorted(outcomes, key=str) == [["d"], [], []]
    assert ledger.draw(root) == "running[ok(a ok, b ok, c ok), d claimable]"


@again
def test_members_that_finish_at_once_deep_down_end_the_action_once():
    root = ledger.accept(group(chain(group("a", "b")), group("c")))
    assert at_once(*[succeeding(ledger.claim(name), name) for name in "abc"]) == [[], [], []]
    assert ledger.draw(root) == "ok[ok(ok[ok(a ok, b ok)], ok(c ok))]"


@again
def test_one_member_succeeds_while_another_fails():
    root = ledger.accept(group("a", "b"), "c")
    assert at_once(succeeding(ledger.claim("a")), failing(ledger.claim("b"))) == [[], None]
    assert ledger.draw(root) == "failed[failed(a ok, b failed), c cancelled]"


@again
def test_members_that_fail_at_once_give_the_action_one_error():
    root = ledger.accept(group("a", "b"), "c")
    assert at_once(failing(ledger.claim("a")), failing(ledger.claim("b"))) == [None, None]
    assert ledger.draw(root) == "failed[failed(a failed, b failed), c cancelled]"
    row = ALL.get(id=root)
    assert (row.outcome_from, row.error_task) in {(ledger.find(name).id, name) for name in "ab"}
    assert {ALL.get(id=ledger.find("a").parent_id).error_task} == {row.error_task}


@again
def test_a_worker_that_is_alive_after_all_and_its_rescue_record_one_outcome():
    root = ledger.accept("a", "b")
    claim = ledger.claim("a")
    ledger.change(claim.id, heartbeat_at=PAST)

    def rescue():
        for stale in waiting.take_stale(10):
            execution.fail(stale.id, stale.attempt, ledger.failure_of("a"))

    succeeded, rescued = at_once(succeeding(claim), rescue)
    if succeeded == ["b"]:
        assert rescued is None or isinstance(rescued, AttemptLostError)
        assert ledger.draw(root) == "running[a ok, b claimable]"
    else:
        assert (type(succeeded), rescued) == (AttemptLostError, None)
        assert ledger.draw(root) == "failed[a failed, b cancelled]"


@again
def test_of_a_retry_and_a_success_of_one_attempt_one_is_recorded():
    root = ledger.accept("a", "b")
    claim = ledger.claim("a")
    outcomes = at_once(
        succeeding(claim), lambda: execution.put_off(claim.id, claim.attempt, ledger.failure_of("a"), delay=0)
    )
    assert len(of_kind(outcomes, AttemptLostError)) == 1
    drawn = "running[a ok, b claimable]" if outcomes[0] == ["b"] else "running[a claimable, b waiting]"
    assert ledger.draw(root) == drawn


@again
def test_a_cancellation_and_a_claim():
    root = ledger.accept("a", "b")
    id_ = ledger.find("a").id
    claim, _ = at_once(lambda: claiming.claim(id_, task="a", worker="w"), lambda: intervention.cancel(root))
    first = "running" if claim else "cancelled"
    assert ledger.draw(root) == f"cancelled[a {first}, b cancelled]"


@again
def test_a_cancellation_and_the_last_success():
    root = ledger.accept(group("a"), "b")
    ledger.succeed("a")
    succeeded, cancelled = at_once(succeeding(ledger.claim("b")), lambda: intervention.cancel(root))
    assert succeeded == []
    if isinstance(cancelled, ReportFinalError):
        assert ledger.draw(root) == "ok[ok(a ok), b ok]"
    else:
        assert ledger.draw(root) == "cancelled[ok(a ok), b ok]"


@again
def test_a_cancellation_and_growth():
    root = ledger.accept("a", "b")
    claim = ledger.claim("a")
    grown, _ = at_once(lambda: execution.expand(claim, chain("x", "y")), lambda: intervention.cancel(root))
    assert [dispatch.task for dispatch in grown] in (["x"], [])
    assert ledger.draw(root) == "cancelled[cancelled[x cancelled, y cancelled], b cancelled]"


@again
def test_of_two_that_retry_an_action_one_does():
    root = ledger.accept("a", "b")
    ledger.succeed("a")
    ledger.fail("b")
    outcomes = at_once(lambda: intervention.resume(root), lambda: intervention.resume(root))
    assert len(of_kind(outcomes, ReportNotRetryableError)) == 1
    (resumed,) = of_kind(outcomes, list)
    assert ledger.names(resumed) == ["b"]
    assert ledger.draw(root) == "pending[a ok, b claimable]"


@again
def test_several_that_take_what_is_due_take_each_once():
    ledger.accept(group(*[f"t{n}" for n in range(12)]))
    ALL.exclude(task="").update(due_at=PAST)
    batches = at_once(*[lambda: ledger.names(waiting.take_due(5))] * 3)
    assert sorted(name for batch in batches for name in batch) == sorted(f"t{n}" for n in range(12))
    assert waiting.take_due(20) == []


@again
def test_several_that_take_what_is_stale_take_each_once():
    ledger.accept(group(*[f"t{n}" for n in range(6)]))
    for n in range(6):
        ledger.claim(f"t{n}")
    ALL.update(heartbeat_at=PAST)
    batches = at_once(*[lambda: [stale.task for stale in waiting.take_stale(3)]] * 3)
    assert sorted(name for batch in batches for name in batch) == sorted(f"t{n}" for n in range(6))


def test_everything_at_once_on_one_tree():
    """Many workers, some that report progress, heartbeats and recovery: no deadlock, and every member counted."""
    names = [f"t{n}" for n in range(40)]
    root = ledger.accept(group(*[group(*names[n : n + 10]) for n in range(0, 40, 10)]), "z")
    ids = {name: ledger.find(name).id for name in names}

    def run(own):
        for name in own:
            claim = claiming.claim(ids[name], task=name, worker="w")
            execution.report_progress(claim, {"current": 1})
            execution.succeed(claim, name)

    def recover():
        for _ in range(20):
            ALL.filter(status=Status.PENDING, dispatched_at__isnull=False).update(due_at=PAST)
            waiting.take_due(10)
            waiting.make_due(list(ids.values()), in_seconds=1)
            waiting.beat(list(ids.values()), worker="w")
            waiting.take_stale(10)

    outcomes = at_once(*[lambda own=names[n::4]: run(own) for n in range(4)], recover)
    assert outcomes == [None] * 5
    assert ledger.find("z").dispatched_at is not None
    assert ALL.get(id=root).tasks_ok == 40


# What somebody else holds


@pytest.fixture
def held():
    """Have the row of a report locked by somebody else for as long as a test runs."""
    release, holders = Event(), []

    def hold(id_):
        locked = Event()

        def holder():
            try:
                with transaction.atomic():
                    ALL.select_for_update().get(id=id_)
                    locked.set()
                    release.wait(timeout=30)
            finally:
                connection.close()

        holders.append(Thread(target=holder, daemon=True))
        holders[-1].start()
        assert locked.wait(timeout=30)

    yield hold
    release.set()
    for thread in holders:
        thread.join(timeout=30)


def test_recovery_passes_over_what_somebody_holds(held):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time.")
    ledger.accept(group("a", "b", "c"), "d")
    claim = ledger.claim("c")
    ALL.filter(task__in="ab").update(due_at=PAST, dispatched_at=PAST)
    ALL.filter(task="c").update(heartbeat_at=PAST)
    held(ledger.find("a").id)
    held(claim.id)
    assert ledger.names(waiting.take_due(10)) == ["b"]
    assert waiting.take_stale(10) == []
    waiting.make_due([ledger.find(name).id for name in "ab"], in_seconds=100)
    assert ledger.find("a").due_at == PAST
    assert ledger.find("b").due_at > datetime.now(UTC) + timedelta(seconds=90)
    assert waiting.make_lost_due(tasks=["a", "b"], older_than=5, limit=10) == 1
