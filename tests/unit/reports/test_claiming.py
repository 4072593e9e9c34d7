from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model

from reports import claiming, execution, intervention
from reports.attempts import Claim
from reports.models import AsyncActionReport, Status
from tests.unit.reports import ledger
from tests.unit.reports.plans import group, task

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects
WORKER = ledger.WORKER


def assert_refused(id_, *, name="a", **options):
    before = ledger.snapshot()
    assert claiming.claim(id_, task=name, worker=options.pop("worker", "other"), **options) is None
    assert ledger.snapshot() == before


def test_a_claim_has_all_that_the_attempt_needs():
    client = get_user_model().objects.create(username="ada")
    root = ledger.accept("a", task("b", 1, 2), action="sync", requested_by=client.id)
    ledger.succeed("a", "input")
    row = ledger.find("b")
    claim = claiming.claim(row.id, task="b", worker=WORKER)
    assert claim == Claim(
        id=row.id,
        root=root,
        parent=root,
        requested_by=client.id,
        action="sync",
        task="b",
        attempt=1,
        retries=0,
        input_from=ledger.find("a").id,
        handed='"input"',
        args=(1, 2),
        kwargs={},
        waited=0,
        trace=None,
    )
    assert claiming.arguments_of(claim) == ("input", 1, 2)


def test_a_claimed_task_runs():
    ledger.accept("a")
    ledger.claim("a", worker="w1")
    row = ledger.find("a")
    assert (row.status, row.attempts, row.worker, row.due_at, row.progress) == (Status.RUNNING, 1, "w1", None, None)
    for moment in (row.started_at, row.heartbeat_at):
        assert abs(moment - datetime.now(UTC)) < timedelta(seconds=60)


def test_the_action_runs_from_its_first_claim_on():
    root = ledger.accept(group("a", "b"))
    ledger.claim("a")
    started = ALL.get(id=root).started_at
    assert (ALL.get(id=root).status, started is None) == (Status.RUNNING, False)
    ledger.claim("b")
    assert ALL.get(id=root).started_at == started


def test_each_attempt_has_a_number_of_its_own():
    ledger.accept("a")
    ledger.put_off("a")
    ledger.put_off("a", lost=True)
    claim = ledger.claim("a")
    assert (claim.attempt, claim.retries) == (3, 1)


def test_an_attempt_starts_without_the_progress_of_the_one_before():
    ledger.accept("a")
    claim = ledger.claim("a")
    execution.report_progress(claim, {"current": 1})
    execution.put_off(claim.id, claim.attempt, ledger.failure_of("a"), delay=0)
    ledger.claim("a")
    assert ledger.find("a").progress is None


# What cannot be claimed


def test_what_does_not_exist():
    ledger.accept("a")
    assert_refused(uuid4())


def test_another_task_than_the_report_s():
    ledger.accept("a")
    assert_refused(ledger.find("a").id, name="b")


def test_a_chain_or_a_group():
    root = ledger.accept(group("a"))
    assert_refused(root, name="")
    assert_refused(ledger.find("a").parent_id, name="")


def test_what_runs_already():
    ledger.accept("a")
    ledger.claim("a")
    assert_refused(ledger.find("a").id)
    assert_refused(ledger.find("a").id, worker=WORKER)


@pytest.mark.parametrize("finish", [ledger.succeed, ledger.fail], ids=["ok", "failed"])
def test_what_is_finished(finish):
    ledger.accept("a")
    finish("a")
    assert_refused(ledger.find("a").id)
    assert_refused(ledger.find("a").id, worker=WORKER, again=True)


def test_what_was_cancelled():
    root = ledger.accept("a")
    intervention.cancel(root)
    assert_refused(ledger.find("a").id)


def test_what_waits_for_its_turn():
    ledger.accept("a", "b")
    assert_refused(ledger.find("b").id, name="b")


def test_what_waits_for_its_time():
    ledger.accept("a")
    ledger.put_off("a", delay=ledger.LONG)
    assert_refused(ledger.find("a").id)
    ledger.change(ledger.find("a").id, not_before=datetime.now(UTC) - timedelta(seconds=1))
    assert ledger.claim("a").attempt == 2


def test_what_grew_into_a_chain():
    ledger.accept("a")
    ledger.expand("a", "x")
    assert_refused(ledger.find("a").id)
    assert_refused(ledger.find("a").id, worker=WORKER, again=True)


# Claiming again, unheard


def test_a_worker_that_got_no_answer_gets_the_claim_it_made():
    ledger.accept("a")
    claim = ledger.claim("a", worker="w1")
    assert claiming.claim(claim.id, task="a", worker="w1", again=True) == claim
    assert ledger.find("a").attempts == 1


def test_a_worker_that_got_no_answer_may_have_made_no_claim():
    ledger.accept("a")
    claim = claiming.claim(ledger.find("a").id, task="a", worker="w1", again=True)
    assert (claim.attempt, ledger.find("a").worker) == (1, "w1")


def test_another_worker_does_not_get_that_claim():
    ledger.accept("a")
    ledger.claim("a", worker="w1")
    assert_refused(ledger.find("a").id, worker="w2", again=True)
