"""A task as a function, as something that cannot be dispatched, and as what runs for a report.

Messages are delivered by Celery's own tracer in this process; tests/integration/engine has them run by workers.
"""

import logging
from uuid import uuid4

import pytest
from celery import chain, group
from celery.exceptions import Ignore, Reject, Retry, SoftTimeLimitExceeded
from django.db import connection

from reports import execution, intervention, selectors
from reports.errors import TaskNotDispatchableError
from reports.failure import UNEXPECTED
from reports.models import AsyncActionReport, Kind, Status
from tasks.base import BaseTask
from tests.unit.tasks.arithmetic import add, bound, product, retried, total
from tests.unit.tasks.messages import BusyError, deliver, doing, insist, raising, request, run, tasks_of

pytestmark = pytest.mark.usefixtures("published")


# What the log says of a failure


@pytest.mark.django_db
def test_one_that_was_foreseen_is_a_line(caplog):
    report = run(doing(raising(BusyError("The machine is busy."))))
    [record] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.message == f"messages.act[{report.id}] failed with busy: The machine is busy."
    assert (record.levelno, record.exc_info) == (logging.WARNING, None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "behaviour", [raising(ValueError("Oops.")), lambda _: object()], ids=["unexpected", "engine's"]
)
def test_any_other_is_an_error_with_its_traceback(caplog, behaviour):
    report = run(doing(behaviour))
    [record] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert str(report.id) in record.message
    assert record.levelno == logging.ERROR
    assert record.exc_info[2] is not None


# As a function


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (lambda: add(1, y=2), 3),
        (lambda: bound(3), 3),
        (lambda: product(3), 6),
        (lambda: retried(4), 4),
        (add.s(1, 2), 3),
        (lambda: total([1, 2]), 3),
    ],
)
def test_a_task_that_is_called_just_runs(call, result):
    assert call() == result


def test_a_task_that_is_called_raises_what_it_raises():
    with pytest.raises(BusyError, match="busy"):
        insist(does=doing(raising(BusyError("busy")), task=insist).kwargs["does"])


def test_a_retry_without_an_error_in_a_task_that_is_called():
    signature = doing(lambda self: self.retry(countdown=5))
    with pytest.raises(Retry, match="Task can be retried"):
        signature()


def test_progress_of_and_interest_in_a_task_that_is_called_are_nobody_s():
    def behaviour(self):
        self.report_progress(1, 2, "Half.")
        self.raise_if_cancelled()
        return "done"

    assert doing(behaviour)() == "done"


# As something to dispatch


@pytest.mark.parametrize(
    "dispatch",
    [
        lambda: add.delay(1),
        lambda: add.apply_async((1,)),
        lambda: add.apply_async((1,), countdown=5),
        lambda: add.s(1).delay(),
        lambda: add.s(1).apply_async(),
        lambda: chain(add.s(1), add.s(2)).delay(),
        chain(add.s(1), add.s(2)),
        lambda: group(add.s(1), add.s(2)).delay(),
        group([add.s(1)]),
        lambda: chain(add.s(1), group(add.s(), add.s())).delay(),
    ],
)
def test_a_task_is_not_dispatched(dispatch):
    with pytest.raises(TaskNotDispatchableError) as refusal:
        dispatch()
    assert str(refusal.value) == (
        "arithmetic.add is not started by .delay() or .apply_async(): request an action whose @chainable returns"
        " its signature, or return arithmetic.add.s(...) from the task that needs it."
    )


@pytest.mark.parametrize("run", [lambda: add.apply((1,)), lambda: add.s(1).apply(), lambda: chain(add.s(1)).apply()])
def test_a_task_is_not_run_eagerly(run):
    with pytest.raises(TaskNotDispatchableError, match=r"^arithmetic\.add is not run by \.apply\(\): call it as a"):
        run()


# As what runs for a report


@pytest.mark.django_db
def test_the_result_is_recorded_and_what_follows_is_published(published):
    root = request(add.s(1), add.s(10))
    first, second = tasks_of(root)
    assert deliver(first) == "SUCCESS"
    assert published == ["arithmetic.add"]
    assert deliver(second) == "SUCCESS"
    assert selectors.find(root, owner=None).result == 12


@pytest.mark.django_db
def test_a_task_knows_its_request():
    def behaviour(self, *args):
        return [self.request.retries, self.request.args, self.request.id]

    row = run(doing(behaviour, 1, 2))
    assert row.result == [0, [1, 2], str(row.id)]


@pytest.mark.django_db
@pytest.mark.parametrize("build", [lambda one: one, lambda one: (one,), lambda one: [one, add.s(2)]])
def test_signatures_that_it_returns_are_run(build, published):
    row = run(doing(lambda _: build(add.s(1))))
    assert (row.kind, row.status) == (Kind.CHAIN, Status.RUNNING)
    assert published == ["arithmetic.add"]


@pytest.mark.django_db
@pytest.mark.parametrize("empty", [(), []])
def test_a_list_of_nothing_is_a_result(empty):
    row = run(doing(lambda _: empty))
    assert (row.status, row.result) == (Status.OK, [])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("outcome", "code", "said"),
    [
        (lambda: [1, add.s(1)], "document_invalid", "The result of messages.act cannot be written as JSON: "),
        (lambda: (add.s(1), 1), "plan_invalid", "A plan is made of signatures, not of a value of type int."),
        (add.s, "plan_invalid", "arithmetic.add cannot be called like this: "),
        (chain, "plan_invalid", "A chain is empty; it needs at least one signature."),
        (object, "document_invalid", "The result of messages.act cannot be written as JSON: "),
        (
            lambda: "x" * 2_000_000,
            "document_too_large",
            "The result of messages.act would take 2,000,002 bytes as JSON; ",
        ),
    ],
)
def test_an_outcome_that_cannot_be_recorded_fails_the_task(outcome, code, said):
    row = run(doing(lambda _: outcome()))
    assert (row.status, row.error_code) == (Status.FAILED, code)
    assert row.error_message.startswith(said)


@pytest.mark.django_db
def test_an_exception_is_recorded_with_where_it_was_raised():
    root = request(doing(raising(LookupError("No such customer."))), add.s())
    first, second = tasks_of(root)
    assert deliver(first) == "FAILURE"
    first.refresh_from_db()
    assert (first.error_code, first.error_type, first.error_message) == (
        "task_failed",
        "LookupError",
        UNEXPECTED,
    )
    assert "in behaviour\n    raise error\nLookupError: No such customer." in first.error_traceback
    assert AsyncActionReport.objects.get(id=second.id).status == Status.CANCELLED


class UnpicklableError(Exception):
    code = "unpicklable"

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")
        self.lock = (_ for _ in ())


@pytest.mark.django_db
def test_an_exception_that_cannot_be_pickled_is_recorded_as_it_is():
    row = run(doing(raising(UnpicklableError("One", "two"))))
    assert (row.error_code, row.error_type, row.error_message) == ("unpicklable", "UnpicklableError", "One and two")


@pytest.mark.django_db
def test_a_soft_time_limit_is_a_time_out():
    row = run(doing(raising(SoftTimeLimitExceeded(30))))
    assert (row.error_code, row.error_message) == ("timed_out", "messages.act ran longer than its time limit of 30 s.")


@pytest.mark.django_db
@pytest.mark.parametrize("error", [Ignore(), Reject("no", requeue=True)], ids=["ignore", "reject"])
def test_a_task_does_not_ignore_or_reject_itself(error):
    row = run(doing(raising(error)))
    assert (row.status, row.error_type) == (Status.FAILED, "TaskMisusedError")
    assert row.error_message == f"messages.act raised {type(error).__name__}: a task returns, retries or raises."


@pytest.mark.django_db
def test_a_task_may_call_itself_as_a_function():
    def behaviour(self, n):
        return n and n + self(n - 1, does=self.request.kwargs["does"] if self.request.kwargs else key)

    signature = doing(behaviour, 3)
    key = signature.kwargs["does"]
    assert run(signature).result == 6


# Messages that change nothing


@pytest.mark.django_db
def test_a_duplicate_message_is_dropped(caplog):
    root = request(doing(lambda _: "first"), add.s(1))
    first, second = tasks_of(root)
    deliver(first)
    before = list(AsyncActionReport.objects.order_by("id").values())
    with caplog.at_level(logging.INFO, logger="tasks.base"):
        assert deliver(first) == "IGNORED"
    assert list(AsyncActionReport.objects.order_by("id").values()) == before
    assert caplog.messages == [f"messages.act[{first.id}] is ok and not due: this message was a duplicate."]
    assert deliver(second) == "FAILURE"  # "first" + 1: it does run


@pytest.mark.django_db
def test_each_line_about_a_task_names_the_report_that_it_belongs_to(caplog, logged):
    root = request(doing(lambda _: "first"))
    [task] = tasks_of(root)
    with caplog.at_level(logging.DEBUG, logger="tasks.base"):
        deliver(task)
        deliver(task)
    lines = [line for line in logged() if line["logger"] == "tasks.base"]
    assert [line["event"].split("] ")[1].split(",")[0] for line in lines] == [
        "begins",
        "is ok and not due: this message was a duplicate.",
    ]
    assert {(line["report"], line["task_id"], line["action"]) for line in lines} == {(str(root), str(task.id), "test")}


@pytest.mark.django_db
@pytest.mark.parametrize("id_", [str(uuid4()), "no-uuid", "", None], ids=["unknown", "text", "empty", "none"])
def test_a_message_for_no_report_is_dropped_and_says_what_to_do(id_, caplog):
    assert deliver(id_, name="arithmetic.add") == "IGNORED"
    assert caplog.messages == [
        f"arithmetic.add[{id_}] is not run: there is no such report. Tasks are run by requesting an action."
    ]


@pytest.mark.django_db
def test_a_message_with_another_task_s_name_is_dropped():
    root = request(add.s(1))
    assert deliver(str(tasks_of(root)[0].id), name="arithmetic.total") == "IGNORED"
    assert tasks_of(root)[0].status == Status.PENDING


# Attempts that are over


def superseding(outcome):
    """Return what loses its report while it runs, and then ends in some way."""

    def behaviour(self):
        claim = vars(self.request)["claim"]
        execution.put_off(claim.id, claim.attempt, messages_failure(), delay=100, lost=True)
        return outcome(self)

    return behaviour


def messages_failure():
    return execution.Failure("lost", "LostError", "Lost.", "messages.act", "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "outcome",
    [
        lambda self: "late",
        lambda self: add.s(1),
        lambda self: raising(ValueError("late"))(),
        lambda self: self.retry(countdown=0),
        lambda self: self.report_progress(1),
        lambda self: self.raise_if_cancelled(),
    ],
    ids=["result", "signature", "error", "retry", "progress", "interest"],
)
def test_an_attempt_that_lost_its_report_changes_nothing(outcome, caplog):
    row = run(doing(superseding(outcome)))
    assert (row.status, row.result, row.retries, row.losses) == (Status.PENDING, None, 0, 1)
    assert [error["code"] for error in row.errors] == ["lost"]
    assert any("changes nothing" in message or "failed too late" in message for message in caplog.messages)


# Actions that are not wanted any more


@pytest.mark.django_db
def test_a_task_may_stop_once_its_action_was_cancelled():
    def behaviour(self):
        self.raise_if_cancelled()
        intervention.cancel(vars(self.request)["claim"].root)
        self.raise_if_cancelled()

    root = request(doing(behaviour))
    assert deliver(tasks_of(root)[0]) == "IGNORED"
    (row,) = tasks_of(root)
    assert (row.status, row.errors[0]["code"]) == (Status.CANCELLED, "cancelled")
    assert row.errors[0]["message"] == "test is cancelled; messages.act is not wanted any more."


@pytest.mark.django_db(transaction=True)
def test_progress_is_shown_while_it_runs():
    shown = []

    def behaviour(self):
        self.report_progress(1, 2, "Half.")
        shown.append(selectors.find(vars(self.request)["claim"].root, owner=None).progress)

    run(doing(behaviour))
    assert shown == [{"current": 1, "total": 2, "message": "Half."}]


def test_what_a_task_declares():
    assert (BaseTask.retry_on_worker_lost, BaseTask.terminate_on_cancel) == (False, False)
    assert (add.ignore_result, add.typing, add.records_outcome) == (True, False, True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("word", ["report_progress", "raise_if_cancelled"])
def test_a_connection_that_is_cut_does_not_fail_a_task_that_only_shows_or_asks(word):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no connection that could be cut.")

    def behaviour(self):
        connection.connection.close()
        self.report_progress(1) if word == "report_progress" else self.raise_if_cancelled()
        return "done"

    row = run(doing(behaviour))
    assert (row.status, row.result) == (Status.OK, "done")
    assert row.progress == ({"current": 1, "total": None, "message": ""} if word == "report_progress" else None)
