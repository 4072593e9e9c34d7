"""Each way to declare a task so that the ledger could not keep its promises stops the start with one line."""

import pytest
from celery import Task, current_app
from celery.worker.request import Request
from django.core.exceptions import ImproperlyConfigured

from tasks import declaration
from tasks.base import BaseErrorHandlerMixin, BaseTask
from tasks.chainable import chainable
from tasks.reach import Reach


@pytest.fixture(autouse=True)
def _forgotten():
    """Forget the tasks that a test has declared."""
    before = dict(current_app.tasks)
    yield
    for name in set(current_app.tasks) - set(before):
        del current_app.tasks[name]


def declare(name="declared.task", **options):
    def run():
        """Do nothing."""

    return current_app.task(name=name, shared=False, lazy=False, **options)(run)


def check(task):
    declaration.check(task.name, task)


def subclass(*bases, **attributes):
    return type("TeamTask", bases, {"abstract": True, **attributes})


class CallingTask(BaseTask):
    abstract = True

    def __call__(self, *args, **kwargs):
        """Do something around the task."""
        return super().__call__(*args, **kwargs)


SAFER = (
    "leave out acks_late and reject_on_worker_lost, and say retry_on_worker_lost = True where it may run again;"
    " what a lost worker leaves is taken up from the database"
)


@pytest.mark.parametrize(
    ("options", "change"),
    [
        ({"acks_late": True}, SAFER),
        ({"reject_on_worker_lost": True}, SAFER),
        ({"expires": 60}, "leave out expires; clients give expires_in, and an action has its time_budget"),
        ({"serializer": "pickle"}, "leave out serializer; no worker takes messages that are pickle"),
        ({"name": "x" * 201}, "give it a name of at most 200 characters"),
        ({"time_limit": 0}, "give it a time_limit in seconds, above 0, or None, not 0"),
        ({"soft_time_limit": "60"}, "give it a soft_time_limit in seconds, above 0, or None, not '60'"),
        ({"soft_time_limit": True}, "give it a soft_time_limit in seconds, above 0, or None, not True"),
        (
            {"soft_time_limit": 60, "time_limit": 60},
            "give it a soft_time_limit below its time_limit of 60 s, or it never strikes",
        ),
        ({"max_retries": -1}, "give it max_retries from 0, or None for no limit, not -1"),
        ({"max_retries": 1.5}, "give it max_retries from 0, or None for no limit, not 1.5"),
        ({"retry_on_worker_lost": 1}, "give it retry_on_worker_lost = True or False, not 1"),
        ({"terminate_on_cancel": "no"}, "give it terminate_on_cancel = True or False, not 'no'"),
        ({"dont_autoretry_for": ("ValueError",)}, "change dont_autoretry_for: 'ValueError' is no class of exceptions"),
        ({"soft_time_limt": 60}, "change soft_time_limt; a task has no such option but soft_time_limit"),
        ({"retries": 5, "autoretry_for": ()}, "change retries; a task has no such option but max_retries"),
        ({"zzzzzz": 5}, "change zzzzzz; a task has no such option"),
        ({"Request": Request}, "leave out Request, or inherit tasks.request.LedgerRequest"),
        (
            {"base": subclass(Task, BaseErrorHandlerMixin)},
            "put BaseErrorHandlerMixin first among the bases of its class; it comes after Task",
        ),
        ({"base": subclass(Task, records_outcome=True)}, "have its class inherit BaseErrorHandlerMixin"),
        (
            {"base": subclass(BaseTask, __call__=lambda self: self.run())},
            "have TeamTask.__call__ call super().__call__(...), which records the outcome",
        ),
        (
            {"base": subclass(BaseTask, on_failure=lambda self, *_: None)},
            "have TeamTask.on_failure call super().on_failure(...), which records the outcome",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_would_break_a_promise_is_refused(options, change):
    task = declare(**options)
    with pytest.raises(ImproperlyConfigured) as refused:
        declaration.check_all()
    assert str(refused.value).startswith(f"Task {task.name}: {change}")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bind": True, "ignore_result": True, "typing": False},
        {"soft_time_limit": 60, "time_limit": 90.5, "rate_limit": "10/m", "compression": "gzip"},
        {"autoretry_for": (OSError,), "dont_autoretry_for": (FileNotFoundError,), "retry_backoff": 2},
        {"retry_backoff_max": 60, "retry_jitter": True, "retry_kwargs": {"max_retries": 3}, "default_retry_delay": 5},
        {"max_retries": None, "retry_on_worker_lost": True, "terminate_on_cancel": True},
        {"base": CallingTask},
        {"base": subclass(BaseErrorHandlerMixin, Task)},
        {"base": subclass(BaseTask, team="ours"), "team": "theirs"},
        {"name": "x" * 200},
    ],
    ids=lambda options: ", ".join(options) or "nothing",
)
def test_what_breaks_none_is_taken(options):
    check(declare(**options))


def test_a_task_that_knows_no_ledger_is_somebody_else_s():
    declare(base=Task, acks_late=True)
    declaration.check_all()


# What a canvas names


class LoneTask(BaseTask):
    name = "declared.lone"

    def run(self):
        """Do nothing."""


lone = LoneTask()


def test_a_canvas_may_not_use_what_is_not_registered():
    @chainable
    def build():
        return lone.s()

    with pytest.raises(ImproperlyConfigured, match=r"^Task declared\.lone: register it, by @shared_task or current_ap"):
        declaration.check_canvas(build, Reach(build))
    current_app.register_task(lone)
    declaration.check_canvas(build, Reach(build))


def test_a_canvas_may_not_use_what_knows_no_ledger():
    plain = declare(base=Task)

    @chainable
    def build():
        return plain.s()

    with pytest.raises(ImproperlyConfigured) as refused:
        declaration.check_canvas(build, Reach(build))
    assert str(refused.value) == (
        "Task declared.task: have its class inherit BaseErrorHandlerMixin, or leave base out;"
        f" {__name__}.test_a_canvas_may_not_use_what_knows_no_ledger.<locals>.build uses it."
    )
