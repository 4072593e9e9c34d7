"""What operators read of a tree, in pages and without what is large."""

import pytest

from reports import execution, timeline
from reports.failure import Failure
from reports.models import AsyncActionReport, Status
from tests.unit.reports import ledger
from tests.unit.reports.plans import group

pytestmark = pytest.mark.django_db

FAILURE = Failure("gone", "GoneError", "It is gone.", "a", "Traceback: secret.py")


def test_steps_come_in_pages_in_the_order_of_the_plan():
    root = ledger.accept("a", group("b", "c"), "d")
    ledger.accept("other")

    found, after = [], None
    while page := timeline.list_steps(root, limit=2, after=after):
        found += page
        after = page[-1].id

    assert [step.task or step.kind.value for step in found] == ["a", "group", "b", "c", "d"]
    assert {step.parent for step in found if step.task in ("b", "c")} == {found[1].id}


def test_steps_are_chosen_by_status():
    root = ledger.accept(group("a", "b"), "c")
    ledger.claim("a")

    running = timeline.list_steps(root, limit=9, statuses=[Status.RUNNING], tasks_only=True)

    assert [step.task for step in running] == ["a"]
    assert timeline.count_tasks(root) == {Status.RUNNING: 1, Status.PENDING: 2}


def test_a_step_tells_of_its_attempts_and_keeps_tracebacks_back():
    root = ledger.accept("a")
    claim = ledger.claim("a")
    execution.put_off(claim.id, claim.attempt, FAILURE, delay=60)

    (step,) = timeline.list_steps(root, limit=9)

    (error,) = step.errors
    assert (error["attempt"], error["code"], error["message"]) == (1, "gone", "It is gone.")
    assert error["failed_at"] >= error["started_at"]
    assert "traceback" not in error
    assert (step.status, step.attempts, step.worker) == (Status.PENDING, 1, ledger.WORKER)
    assert step.not_before > step.started_at >= step.dispatched_at
    assert timeline.read_errors(step.id)[0]["traceback"] == "Traceback: secret.py"


def test_the_traceback_of_an_action_is_that_of_its_task():
    root = ledger.accept("a")
    claim = ledger.claim("a")
    assert timeline.read_traceback(root) == ""
    execution.fail(claim.id, claim.attempt, FAILURE)

    assert timeline.read_traceback(root) == timeline.read_traceback(claim.id) == "Traceback: secret.py"


def test_payloads_are_cut():
    root = ledger.accept("a", parameters={"x": "y" * 100})
    ledger.succeed("a", ["z" * 10])

    payloads = timeline.read_payloads(root, longest=20)

    assert set(payloads) == {"parameters", "result"}
    assert (len(payloads["parameters"].text), payloads["parameters"].is_whole) == (20, False)
    assert payloads["parameters"].length > 100
    assert (payloads["result"].text.replace(" ", ""), payloads["result"].is_whole) == ('["zzzzzzzzzz"]', True)
    task = AsyncActionReport.objects.get(task="a").id
    assert set(timeline.read_payloads(task, longest=100)) == {"arguments", "result"}


def test_a_task_is_found_by_its_own_id():
    root = ledger.accept("a")

    assert timeline.find_root(AsyncActionReport.objects.get(task="a").id) == root
    assert timeline.find_root(root) == root
    AsyncActionReport.objects.all().delete()
    assert timeline.find_root(root) is None
