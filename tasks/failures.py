"""What Celery's own exceptions mean to a client."""

import traceback as tracebacks

from celery.exceptions import MaxRetriesExceededError, Retry, SoftTimeLimitExceeded, TimeLimitExceeded

from reports.codes import RETRIES_EXHAUSTED
from reports.errors import AsyncActionsError
from reports.failure import Failure


def describe(error: BaseException, *, task: str, traceback: str = "") -> Failure:
    """Return why an attempt at ``task`` failed; ``traceback`` is its text."""
    if isinstance(error, SoftTimeLimitExceeded | TimeLimitExceeded):
        return Failure.timed_out(error, task=task, traceback=traceback)
    code = RETRIES_EXHAUSTED if isinstance(error, MaxRetriesExceededError) else None
    return Failure.of(error, task=task, traceback=traceback, code=code)


def is_foreseen(error: BaseException) -> bool:
    """Tell whether an action may fail with ``error``, as its author has written it: its class has a code.

    Libraries give one to each of theirs: what is wrong there only the traceback tells. The engine's own errors have
    codes as well, and are somebody's mistake.
    """
    if isinstance(error, AsyncActionsError) or "code" in vars(error):
        return False
    code = getattr(type(error), "code", None)
    return isinstance(code, str) and bool(code)


def describe_retried(retry: Retry, *, task: str) -> Failure:
    """Return why an attempt at ``task`` failed that ``retry`` has tried again."""
    # Not first `retry.exc`: Celery has put a stand-in there for an error that cannot be pickled.
    error = retry.__cause__ or retry.exc or retry.__context__ or retry
    return describe(error, task=task, traceback="".join(tracebacks.format_exception(error)))
