"""The audit finds each fault that it is for, and none where there is none."""

import time
from typing import Any
from uuid import UUID, uuid4

import pytest

from chaos import ledger
from chaos.audit import Audit, audit
from chaos.observations import Observations
from chaos.witness import Entry, Event
from reports import intervention
from reports.models import AsyncActionReport
from tests.unit.reports.ledger import accept, change, claim, fail, find, succeed

pytestmark = pytest.mark.django_db


class Scene:
    """A ledger, what its tasks testify, and what was observed of it."""

    def __init__(self) -> None:
        self.seen = Observations()
        self.testimony: list[Entry] = []

    def accept(self, *steps: str, expected: Any = None) -> UUID:
        root = accept(*steps)
        self.seen.accept(root, expected=expected)
        return root

    def testify(self, task: str, attempt: int, event: Event, *, at: float | None = None, path: str = "") -> None:
        self.testimony.append(Entry(at or time.time(), find(task).id, attempt, event, path or task, 1))

    def run(self, task: str, result: Any = None) -> None:
        attempt = find(task).attempts + 1
        self.testify(task, attempt, "begins")
        self.testify(task, attempt, "ends")
        succeed(task, result)

    def fail(self, task: str) -> None:
        attempt = find(task).attempts + 1
        self.testify(task, attempt, "begins")
        self.testify(task, attempt, "fails")
        fail(task)

    def resume(self, root: UUID, *, answered: bool = True) -> None:
        resume = self.seen.ask_to_resume(root)
        intervention.resume(root)
        resume.answered_at = time.time() if answered else None

    def look(self) -> None:
        self.seen.see(ledger.finished())

    def hear(self, root: UUID, **changes: Any) -> None:
        row = AsyncActionReport.objects.get(id=root)
        body = {"id": str(root), "retries": row.retries, "status": row.status, "result": None}
        finished_at = row.finished_at and row.finished_at.isoformat()
        self.seen.hear({**body, "finished_at": finished_at, **changes})

    def audit(self) -> Audit:
        return audit(self.seen, self.testimony, reruns=["again"])


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def done(scene: Scene) -> UUID:
    """An action of two tasks that is ok, and was seen so."""
    root = scene.accept("first", "second")
    scene.run("first", 1)
    scene.run("second", 2)
    scene.look()
    scene.hear(root)
    assert scene.audit().is_clean
    return root


@pytest.fixture
def failed(scene: Scene) -> UUID:
    """An action whose second task has failed, and was seen so."""
    root = scene.accept("first", "second")
    scene.run("first", 1)
    scene.fail("second")
    scene.look()
    scene.hear(root)
    assert scene.audit().is_clean
    return root


def test_four_zeros(scene: Scene, done: UUID) -> None:
    other = scene.accept("third")
    scene.fail("third")
    intervention.cancel(cancelled := scene.accept("never"))
    for root in (done, other, cancelled):
        scene.hear(root)
    found = scene.audit()
    assert str(found) == "four zeros"
    assert found.counts == {"ok": 1, "failed": 1, "cancelled": 1, "pending": 0, "running": 0}


def test_an_accepted_action_that_is_not_there_is_lost(scene: Scene, done: UUID) -> None:
    nobody = uuid4()
    scene.seen.accept(nobody)
    [line] = scene.audit().lines
    assert line == f"lost: {nobody} was accepted, and there is no such report"


def test_a_task_that_is_ok_and_never_ran_is_lost(scene: Scene) -> None:
    scene.accept("first")
    succeed("first")
    found = scene.audit()
    assert found.lost == [f"lost: first {find('first').id} is ok, and it never came to its end"]
    assert found.lines == found.lost


def test_a_task_that_is_ok_by_an_attempt_that_never_ended_is_lost(scene: Scene, done: UUID) -> None:
    change(find("second").id, attempts=2)
    assert [line[:12] for line in scene.audit().lost] == ["lost: second"]


def test_a_result_that_is_not_the_actions_is_lost(scene: Scene) -> None:
    root = scene.accept("first", expected=[1, 2])
    scene.run("first", 1)
    scene.hear(root, result=[1, 2])
    assert scene.audit().is_clean
    scene.hear(root, result=[2, 1], finished_at="2026-11-24T00:00:00Z")
    assert f"lost: the result of {root} should be [1, 2], is [2, 1]" in scene.audit().lost


def test_a_resume_that_was_answered_and_not_done_is_lost(scene: Scene, failed: UUID) -> None:
    scene.seen.ask_to_resume(failed).answered_at = time.time()
    assert scene.audit().lines == [f"lost: {failed} was to be resumed once more"]


def test_what_is_not_final_is_unfinished(scene: Scene, done: UUID) -> None:
    scene.accept("third")
    claim("third")
    found = scene.audit()
    assert f"unfinished: task third {find('third').id} is running" in found.unfinished
    assert len(found.unfinished) == 2  # the action itself is the other one
    assert found.lines == found.unfinished


def test_an_action_that_nobody_was_told_of_is_unfinished_too(scene: Scene) -> None:
    root = accept("first")
    assert len(scene.audit().unfinished) == 2
    assert root not in scene.seen.accepted


def test_a_task_that_begins_twice_is_run_twice(scene: Scene, done: UUID) -> None:
    scene.testify("first", 0, "begins", at=time.time() - 60)
    found = scene.audit()
    assert [line[:16] for line in found.run_twice] == ["run twice: first"]
    assert found.lines == found.run_twice


def test_a_task_that_failed_for_good_and_begins_again_is_run_twice(scene: Scene, failed: UUID) -> None:
    scene.testify("second", 2, "begins")
    assert len(scene.audit().run_twice) == 1


def test_a_task_that_begins_after_it_was_ok_is_run_twice(scene: Scene) -> None:
    scene.accept("again")
    scene.run("again")
    assert scene.audit().is_clean
    scene.testify("again", 2, "begins", at=time.time() + 1)
    assert "began after it was ok" in str(scene.audit())


def test_one_attempt_that_begins_twice_is_run_twice(scene: Scene) -> None:
    scene.accept("again")
    scene.testify("again", 1, "begins", at=time.time() - 60)
    scene.run("again")
    assert "began its attempt twice" in str(scene.audit())


def test_a_task_that_two_reports_stand_for_is_run_twice(scene: Scene, done: UUID) -> None:
    scene.testify("second", 1, "begins", path="first")
    ids = sorted([find("first").id, find("second").id])
    assert f"run twice: first by {ids[0]} and {ids[1]}" in scene.audit().run_twice


def test_a_task_that_may_run_again_may(scene: Scene) -> None:
    scene.accept("again")
    scene.testify("again", 1, "begins")
    change(find("again").id, attempts=1)
    scene.run("again")
    assert scene.audit().is_clean


def test_a_task_that_asked_for_another_attempt_may_run_again(scene: Scene) -> None:
    scene.accept("first")
    scene.testify("first", 1, "begins")
    scene.testify("first", 1, "raises")
    change(find("first").id, attempts=1)
    scene.run("first")
    assert scene.audit().is_clean


def test_a_process_that_begins_late_with_an_attempt_that_was_given_up_runs_nothing_twice(
    scene: Scene, failed: UUID
) -> None:
    scene.testimony = [entry for entry in scene.testimony if entry.event == "ends" or entry.task == find("first").id]
    scene.resume(failed)
    scene.run("second")
    scene.testify("second", 1, "begins", at=time.time() + 1)
    assert scene.audit().is_clean


@pytest.mark.parametrize("answered", [True, False])
def test_what_was_resumed_may_run_again_and_end_otherwise(scene: Scene, failed: UUID, answered: bool) -> None:
    scene.resume(failed, answered=answered)
    scene.run("second")
    scene.look()
    scene.hear(failed)
    assert scene.audit().is_clean


def test_a_resume_that_was_refused_excuses_nothing(scene: Scene, failed: UUID) -> None:
    scene.seen.ask_to_resume(failed).is_refused = True
    scene.testify("second", 2, "begins")
    assert len(scene.audit().run_twice) == 1
    intervention.resume(failed)
    scene.run("second")
    assert f"overwritten: {failed} was resumed, and nobody asked" in scene.audit().overwritten


def test_a_resume_before_or_after_excuses_nothing(scene: Scene, failed: UUID) -> None:
    scene.resume(failed)
    scene.run("second")
    for at in (time.time() + 60, time.time() + 61):
        scene.testify("second", int(at), "begins", at=at)
    assert len([line for line in scene.audit().run_twice if "began twice" in line]) == 2


def test_an_outcome_that_was_seen_and_is_another_is_overwritten(scene: Scene, done: UUID) -> None:
    change(find("second").id, status="failed")
    [line] = scene.audit().lines
    assert line.startswith(f"overwritten: second {find('second').id} was ('ok', ")


def test_an_outcome_that_is_replaced_between_two_looks_is_overwritten(scene: Scene, done: UUID) -> None:
    before = find("second").result
    change(find("second").id, result="another")
    scene.look()
    change(find("second").id, result=before)
    assert scene.audit().overwritten


def test_what_was_final_and_is_not_any_more_is_overwritten(scene: Scene, done: UUID) -> None:
    change(find("second").id, status="running")
    found = scene.audit()
    assert (len(found.overwritten), len(found.unfinished)) == (1, 1)


def test_what_is_ok_stays_so_when_its_action_is_resumed(scene: Scene, failed: UUID) -> None:
    scene.resume(failed)
    scene.run("second")
    change(find("first").id, result="another")
    assert [line[:18] for line in scene.audit().overwritten] == ["overwritten: first"]


def test_a_final_report_that_is_gone_is_overwritten(scene: Scene, done: UUID) -> None:
    id_ = find("second").id
    AsyncActionReport.objects.filter(id=id_).delete()
    assert scene.audit().lines == [f"overwritten: {id_} was final and is gone"]


def test_what_a_client_was_told_and_the_ledger_has_not_is_overwritten(scene: Scene) -> None:
    root = scene.accept("first")
    scene.run("first")
    scene.hear(root, status="failed")
    [line] = scene.audit().lines
    assert line.startswith(f"overwritten: {root} is ('ok', ")


def test_what_two_clients_were_told_differently_is_overwritten(scene: Scene, failed: UUID) -> None:
    scene.hear(failed, status="cancelled")
    assert any("a client was told" in line for line in scene.audit().overwritten)


def test_answers_that_are_not_final_say_nothing(scene: Scene) -> None:
    root = scene.accept("first")
    scene.hear(root)
    scene.run("first")
    assert scene.audit().is_clean


def test_answers_from_before_a_resume_may_come_late(scene: Scene, failed: UUID) -> None:
    early = AsyncActionReport.objects.get(id=failed)
    scene.resume(failed)
    scene.run("second")
    scene.hear(failed)
    scene.hear(failed, status="failed", retries=0, finished_at=early.finished_at.isoformat())
    assert scene.audit().is_clean
