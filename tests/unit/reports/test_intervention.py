from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from reports import claiming, execution, intervention
from reports.errors import ReportFinalError, ReportNotRetryableError
from reports.inputs import result_of
from reports.models import AsyncActionReport, Status
from reports.requests import Timing
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain, group, task

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects
PAST = datetime(2026, 1, 1, tzinfo=UTC)


def resume(root):
    return ledger.names(intervention.resume(root))


# Cancelling


def test_nothing_more_of_a_cancelled_action_starts():
    root = ledger.accept(group("a", chain("b", "c")), "d")
    ledger.succeed("b")
    claim = ledger.claim("c")
    intervention.cancel(root)
    assert ledger.draw(root) == "cancelled[cancelled(a cancelled, cancelled[b ok, c running]), d cancelled]"
    assert claiming.claim(ledger.find("a").id, task="a", worker="w") is None
    assert execution.succeed(claim, None) == []
    row = ALL.get(id=root)
    assert (row.error_code, row.finished_at is None) == ("", False)
    assert not ALL.filter(status=Status.CANCELLED).exclude(due_at=None).exists()


@pytest.mark.parametrize("end", ["ok", "failed", "cancelled"])
def test_a_final_action_is_not_cancelled(end):
    root = ledger.accept("a")
    {"ok": ledger.succeed, "failed": ledger.fail, "cancelled": lambda _: intervention.cancel(root)}[end]("a")
    before = ledger.snapshot()
    with pytest.raises(ReportFinalError, match=rf"^The action is {end} already; there is nothing to cancel\.$"):
        intervention.cancel(root)
    assert ledger.snapshot() == before


@pytest.mark.parametrize("intervene", [intervention.cancel, intervention.resume, intervention.end_overdue])
def test_there_is_no_such_action(intervene):
    with pytest.raises(LookupError, match=r"^There is no report "):
        intervene(uuid4())
    ledger.accept("a")
    with pytest.raises(LookupError, match=r"^There is no report "):
        intervene(ledger.find("a").id)


# Resuming


def test_a_failed_action_goes_on_where_it_failed():
    root = ledger.accept("a", group("b", "c"), "d")
    for name in "ab":
        ledger.succeed(name, name)
    ledger.fail("c")
    done = [row for row in ledger.snapshot() if row["task"] in ("a", "b")]
    assert resume(root) == ["c"]
    assert ledger.draw(root) == "pending[a ok, running(b ok, c claimable), d waiting]"
    assert [row for row in ledger.snapshot() if row["task"] in ("a", "b")] == done
    assert ledger.succeed("c", "c") == ["d"]
    assert claiming.arguments_of(ledger.claim("d")) == (["b", "c"],)


def test_the_input_of_what_runs_again_is_what_it_was():
    root = ledger.accept("a", "b")
    ledger.succeed("a", "input")
    ledger.fail("b")
    resume(root)
    claim = ledger.claim("b")
    assert (claiming.arguments_of(claim), claim.attempt, claim.retries) == (("input",), 2, 0)


def test_a_cancelled_action_goes_on_where_it_was():
    root = ledger.accept("a", group(chain("b", "c"), "d"), "e")
    ledger.succeed("a")
    ledger.succeed("b")
    intervention.cancel(root)
    assert resume(root) == ["c", "d"]
    assert ledger.draw(root) == "pending[a ok, running(running[b ok, c claimable], d claimable), e waiting]"


def test_an_action_that_was_cancelled_before_it_began_begins():
    root = ledger.accept(group("a", group()), "b")
    intervention.cancel(root)
    assert resume(root) == ["a"]
    assert ledger.draw(root) == "pending[running(a claimable, ok()), b waiting]"


def test_every_member_that_failed_runs_again():
    root = ledger.accept(group("a", "b", chain("c", "d")))
    claims = [ledger.claim(name) for name in "abc"]
    for claim in claims:
        execution.fail(claim.id, claim.attempt, ledger.failure_of(claim.task))
    assert resume(root) == ["a", "b", "c"]
    assert ledger.draw(root) == "pending[running(a claimable, b claimable, running[c claimable, d waiting])]"


def test_what_is_in_flight_goes_on_and_is_not_started_again():
    root = ledger.accept(group("a", "b"), "c")
    claim = ledger.claim("a")
    ledger.fail("b")
    assert resume(root) == ["b"]
    assert ledger.draw(root) == "running[running(a running, b claimable), c waiting]"
    assert ledger.succeed("b") == []
    assert ledger.names(execution.succeed(claim, None)) == ["c"]


def test_what_became_ok_after_the_end_counts():
    root = ledger.accept(group(chain("a", "b"), chain("c", group("d"))), "e")
    ledger.succeed("c")
    late = [ledger.claim("a"), ledger.claim("d")]
    intervention.cancel(root)
    for claim in late:
        execution.succeed(claim, claim.task)
    assert ledger.draw(root).startswith(
        "cancelled[cancelled(cancelled[a ok, b cancelled], cancelled[c ok, cancelled(d ok)])"
    )
    assert resume(root) == ["b"]
    assert ledger.draw(root) == "pending[running(running[a ok, b claimable], ok[c ok, ok(d ok)]), e waiting]"
    assert ledger.succeed("b", "b") == ["e"]
    assert claiming.arguments_of(ledger.claim("e")) == (["b", ["d"]],)


def test_an_action_all_of_which_became_ok_after_the_end_is_ok():
    root = ledger.accept(group("a"), chain("b"))
    ledger.succeed("a")
    claim = ledger.claim("b")
    intervention.cancel(root)
    execution.succeed(claim, "end")
    assert resume(root) == []
    assert ledger.draw(root) == "ok[ok(a ok), ok[b ok]]"
    assert result_of(root) == "end"


def test_what_a_task_grew_into_is_not_grown_again():
    root = ledger.accept("a", "b")
    ledger.expand("a", "x", group("y", group()), "z")
    ledger.succeed("x", "x")
    ledger.fail("y")
    assert resume(root) == ["y"]
    assert ledger.draw(root) == "pending[running[x ok, running(y claimable, ok()), z waiting], b waiting]"


def test_what_grew_after_the_end_starts():
    root = ledger.accept("a", "b")
    claim = ledger.claim("a")
    intervention.cancel(root)
    execution.expand(claim, chain("x", "y"))
    assert resume(root) == ["x"]
    assert ledger.draw(root) == "pending[running[x claimable, y waiting], b waiting]"


def test_empty_groups_whose_turn_had_not_come():
    root = ledger.accept("a", group(), group(group()), "b")
    ledger.fail("a")
    resume(root)
    assert ledger.succeed("a") == ["b"]
    assert ledger.draw(root) == "running[a ok, ok(), ok(ok()), b claimable]"


def test_an_empty_group_first_in_line():
    root = ledger.accept("a", group(), "b")
    claim = ledger.claim("a")
    intervention.cancel(root)
    execution.succeed(claim, None)
    assert resume(root) == ["b"]
    assert ledger.draw(root) == "pending[a ok, ok(), b claimable]"


def test_more_members_than_one_update_takes():
    root = ledger.accept(group(*[f"t{n}" for n in range(600)]))
    intervention.cancel(root)
    assert len(intervention.resume(root)) == 600
    assert (
        ALL.filter(root=root, status=Status.PENDING, dispatched_at__isnull=False, due_at__isnull=False).count() == 600
    )


def test_what_is_published_again_has_its_options():
    root = ledger.accept(task("a", options={"queue": "slow"}))
    ledger.fail("a")
    (dispatch,) = intervention.resume(root)
    assert (dispatch.id, dispatch.options) == (ledger.find("a").id, {"queue": "slow"})


def test_nothing_is_left_of_the_failure_but_the_errors():
    root = ledger.accept(group("a", "b"), "c")
    ledger.put_off("a")
    ledger.put_off("a", lost=True)
    ledger.fail("a")
    ledger.change(ledger.find("a").id, publications=3)
    resume(root)
    for row in ALL.filter(root=root):
        assert (row.error_code, row.error_type, row.error_message, row.error_task, row.error_traceback) == ("",) * 5
        assert row.error_retryable is None
        assert (row.finished_at, row.outcome_from, row.not_before) == (None, None, None)
    row = ledger.find("a")
    assert (row.retries, row.losses, row.publications, row.attempts) == (0, 0, 0, 3)
    assert [error["attempt"] for error in row.errors] == [1, 2, 3]


def test_the_action_keeps_the_errors_of_its_attempts_and_counts_them(settings):
    settings.REPORT_MAX_ERRORS = 2
    root = ledger.accept("a")
    for message in ("First.", "Second.", "Third."):
        ledger.fail("a", ledger.failure_of("a", message))
        resume(root)
    row = ALL.get(id=root)
    assert row.retries == 3
    assert [(error["attempt"], error["message"], error["task"]) for error in row.errors] == [
        (2, "Second.", "a"),
        (3, "Third.", "a"),
    ]
    assert all(datetime.fromisoformat(error["failed_at"]).utcoffset() is not None for error in row.errors)


def test_each_attempt_of_the_action_has_its_own_start():
    root = ledger.accept("a")
    ledger.fail("a", ledger.failure_of("a", "First."))
    ledger.change(root, started_at=PAST)
    resume(root)
    row = ALL.get(id=root)
    assert datetime.fromisoformat(row.errors[0]["started_at"]) == PAST
    assert (row.status, row.started_at) == (Status.PENDING, None)
    ledger.claim("a")
    row = ALL.get(id=root)
    assert row.status == Status.RUNNING
    assert datetime.now(UTC) - row.started_at < timedelta(minutes=1)


def test_a_cancelled_action_has_no_error_to_keep():
    root = ledger.accept("a")
    intervention.cancel(root)
    resume(root)
    row = ALL.get(id=root)
    assert (row.retries, row.errors, row.progress) == (1, [], None)


def test_the_time_budget_starts_anew():
    root = ledger.accept("a", timing=Timing(time_budget=100.0))
    ledger.claim("a")
    ledger.change(root, deadline_at=PAST)
    assert intervention.end_overdue(root)
    resume(root)
    left = ALL.get(id=root).deadline_at - datetime.now(UTC)
    assert left == pytest.approx(timedelta(seconds=100), abs=timedelta(seconds=5))


def test_an_action_that_expired_may_be_retried_and_does_not_expire_again():
    root = ledger.accept("a", timing=Timing(expires_at=PAST))
    assert intervention.end_overdue(root)
    assert resume(root) == ["a"]
    assert not intervention.end_overdue(root)
    ledger.succeed("a")
    assert ledger.draw(root) == "ok[a ok]"


@pytest.mark.parametrize("status", ["pending", "running", "ok"])
def test_only_what_failed_or_was_cancelled_is_retried(status):
    root = ledger.accept("a")
    {"pending": lambda _: None, "running": ledger.claim, "ok": ledger.succeed}[status]("a")
    before = ledger.snapshot()
    with pytest.raises(
        ReportNotRetryableError, match=rf"^The action is {status}; only a failed or cancelled one is retried\.$"
    ):
        intervention.resume(root)
    assert ledger.snapshot() == before


# Deadlines


def test_an_action_that_has_not_started_in_time_expires():
    root = ledger.accept("a", "b", action="sync", timing=Timing(expires_at=PAST))
    assert intervention.end_overdue(root)
    row = ALL.get(id=root)
    assert ledger.draw(root) == "failed[a cancelled, b cancelled]"
    assert (row.error_code, row.error_type, row.error_task) == ("expired", "ActionOverdueError", "")
    assert row.error_message == "sync had not started by its deadline."
    assert row.finished_at is not None


def test_an_action_that_takes_too_long_times_out():
    root = ledger.accept("a", "b", action="sync", timing=Timing(time_budget=100.0))
    claim = ledger.claim("a")
    ledger.change(root, deadline_at=PAST)
    assert intervention.end_overdue(root)
    row = ALL.get(id=root)
    assert ledger.draw(root) == "failed[a running, b cancelled]"
    assert (row.error_code, row.error_message) == ("timed_out", "sync ran longer than its time budget.")
    assert execution.succeed(claim, None) == []


@pytest.mark.parametrize("end", ["ok", "in time", "no deadline"])
def test_what_is_not_overdue_is_left_alone(end):
    deadline = {"ok": PAST, "in time": datetime.now(UTC) + timedelta(seconds=60), "no deadline": None}[end]
    root = ledger.accept("a")
    if end == "ok":
        ledger.succeed("a")
    ledger.change(root, deadline_at=deadline)
    before = ledger.snapshot()
    assert not intervention.end_overdue(root)
    assert ledger.snapshot() == before
