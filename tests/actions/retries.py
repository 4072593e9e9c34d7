"""Tasks that are tried again, by Celery's own options."""

from datetime import timedelta
from typing import Any, NoReturn

from celery import shared_task
from celery.exceptions import Retry
from django.utils.timezone import now

from tasks.base import BaseTask
from tests.actions import journal
from tests.actions.outcomes import DoorLockedError, OrderRefusedError


class LineBusyError(Exception):
    """Passes."""

    code = "line_busy"


class LineCutError(LineBusyError):
    """Does not pass."""

    code = "line_cut"


class LineTask(BaseTask):
    abstract = True
    autoretry_for = (LineBusyError,)
    dont_autoretry_for = (LineCutError,)
    default_retry_delay = 0.01
    max_retries = 3


class BackoffTask(LineTask):
    abstract = True
    retry_backoff = 100  # seconds, doubled from try to try
    retry_backoff_max = 300
    retry_jitter = False
    max_retries = 5


class JitterTask(BackoffTask):
    abstract = True
    retry_jitter = True


@shared_task(name="retries.call", base=LineTask, bind=True)
def call(self: BaseTask, *, busy: int, key: str) -> dict[str, Any]:
    """Find the line busy so many times."""
    journal.write(f"{key} {self.request.retries}")
    if self.request.retries < busy:
        raise LineBusyError(f"Busy at try {self.request.retries}.")
    return {"retries": self.request.retries, "args": list(self.request.args), "kwargs": self.request.kwargs}


@shared_task(name="retries.call_dead_line", base=LineTask)
def call_dead_line() -> NoReturn:
    raise LineCutError("The line is cut.")


@shared_task(name="retries.call_later", base=BackoffTask, bind=True)
def call_later(self: BaseTask, *, busy: int = 99, key: str = "") -> int:
    journal.write(f"{key} {self.request.retries}")
    if self.request.retries < busy:
        raise LineBusyError("Busy.")
    return self.request.retries


@shared_task(name="retries.call_sometime", base=JitterTask)
def call_sometime() -> NoReturn:
    raise LineBusyError("Busy.")


@shared_task(name="retries.open_door", autoretry_for=(DoorLockedError,), max_retries=1, default_retry_delay=0.01)
def open_door() -> NoReturn:
    raise DoorLockedError


@shared_task(
    name="retries.order", autoretry_for=(Exception,), retry_kwargs={"max_retries": 1, "countdown": 0.01}, max_retries=9
)
def order() -> NoReturn:
    raise OrderRefusedError(3, reason="closed")


@shared_task(name="retries.insist", autoretry_for=(LineBusyError,), max_retries=None, default_retry_delay=0, bind=True)
def insist(self: BaseTask, times: int) -> int:
    if self.request.retries < times:
        raise LineBusyError(f"Busy at try {self.request.retries}.")
    return self.request.retries


@shared_task(name="retries.retry", bind=True, max_retries=1)
def retry(self: BaseTask, how: str) -> int:
    if self.request.retries and how != "too often":
        return self.request.retries
    try:
        _find_busy()
    except LineBusyError as busy:
        _retry(self, how, busy)
    raise AssertionError(how)


def _find_busy() -> NoReturn:
    raise LineBusyError("Busy.")


def _retry(task: BaseTask, how: str, busy: LineBusyError) -> None:
    if how == "not thrown":
        raise task.retry(countdown=500, exc=busy, throw=False)
    if how == "by hand":
        raise Retry("Later.", exc=busy, when=500)
    moment = now() + timedelta(seconds=700)
    options: dict[str, dict[str, Any]] = {
        "countdown": {"countdown": 500, "exc": busy},
        "eta": {"eta": moment, "exc": busy},
        "naive eta": {"eta": moment.replace(tzinfo=None), "exc": busy},
        "default": {"exc": busy},
        "without error": {"countdown": 500},
        "no more": {"exc": busy, "max_retries": 0},
        "no more, without error": {"max_retries": 0},
        "too often": {"exc": busy, "countdown": 0},
        "changed arguments": {"args": ("countdown",)},
        "changed options": {"queue": "elsewhere"},
    }
    task.retry(**options[how])
