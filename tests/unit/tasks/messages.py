"""Messages as a worker's pool child gets them, in this process: Celery's own tracer, without a worker and a broker."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from celery import shared_task

from reports.models import AsyncActionReport
from services import actions
from tasks.base import BaseTask
from tasks.canvas import plan_of
from testing import delivery

_behaviours: dict[str, Callable[..., Any]] = {}


class BusyError(Exception):
    """What is tried again."""

    code = "busy"


class PersistentTask(BaseTask):
    abstract = True
    autoretry_for = (BusyError,)
    default_retry_delay = 60
    retry_backoff = False
    max_retries = 2


@shared_task(bind=True, name="messages.act")
def act(self, *args, does):
    return _behaviours[does](self, *args)


@shared_task(bind=True, name="messages.insist", base=PersistentTask)
def insist(self, *args, does):
    return _behaviours[does](self, *args)


def doing(behaviour, *args, task=act, **options):
    """Return a signature of a task that does what the function does, which is given the task and its arguments."""
    key = uuid4().hex
    _behaviours[key] = behaviour
    return task.signature(args, {"does": key}, **options)


def request(*signatures):
    """Have an action of these signatures accepted. Returns its report's id."""
    return actions.request("test", plan_of(signatures), parameters=None, requested_by=None)


def tasks_of(root: UUID) -> list[AsyncActionReport]:
    """Return the reports of an action's tasks, in the order they were planned."""
    return list(AsyncActionReport.objects.filter(root=root).exclude(task="").order_by("id"))


def deliver(report: AsyncActionReport | str, *, name: str | None = None) -> str:
    """Deliver the message for a report, or for any text. Returns the state that Celery comes to."""
    return delivery.deliver(
        *((report.task, str(report.id)) if isinstance(report, AsyncActionReport) else (name, report))
    )


def run(*signatures) -> AsyncActionReport:
    """Have an action of one task accepted, deliver its message and return the task's report."""
    root = request(*signatures)
    deliver(tasks_of(root)[0])
    return tasks_of(root)[0]


def raising(error):
    """Return a behaviour that raises this error."""

    def behaviour(*_):
        raise error

    return behaviour
