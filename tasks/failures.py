"""What Celery's own exceptions mean to a client."""

import traceback as tracebacks

from celery.exceptions import Retry, SoftTimeLimitExceeded, TimeLimitExceeded

from reports.failure import Failure


def describe(error: BaseException, *, task: str, traceback: str = "") -> Failure:
    """Return why an attempt at ``task`` failed; ``traceback`` is its text."""
    if isinstance(error, SoftTimeLimitExceeded | TimeLimitExceeded):
        return Failure.timed_out(error, task=task, traceback=traceback)
    return Failure.of(error, task=task, traceback=traceback)


def traceback_of(retry: Retry) -> str:
    """Return the traceback of what a task is retried for, as text."""
    return "".join(tracebacks.format_exception(retry.exc or retry))
