"""What a task must say, and must not. What is wrong with one stops the start, in one line that says what to change."""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any

from celery import Task, current_app
from celery.exceptions import DuplicateTaskNameWarning  # type: ignore[attr-defined]  # newer than its types
from celery.utils.imports import symbol_by_name
from django.core.exceptions import ImproperlyConfigured

from tasks.base import BaseErrorHandlerMixin
from tasks.reach import AnyTask, Reach
from tasks.request import LedgerRequest

LONGEST_NAME = 200
# What Celery reads of a task that no class of a task declares.
_OPTIONS = frozenset(
    {
        *("autoretry_for", "dont_autoretry_for", "retry_kwargs", "override_max_retries"),
        *("retry_backoff", "retry_backoff_max", "retry_jitter"),
        *("queue", "exchange", "routing_key", "delivery_mode", "compression"),
    }
)
_OF_CELERY = frozenset({"app", "name", "run", "_dump_pydantic_arguments"})
_RECORDERS = ("__call__", "retry", "on_failure")


class TaskMisdeclaredError(ImproperlyConfigured):
    """A task is declared in a way in which the ledger could not keep its promises for it."""


def check_all() -> None:
    """Raise TaskMisdeclaredError for the first of this process's tasks that could not be relied on."""
    for name, task in sorted(current_app.tasks.items()):
        if getattr(task, "records_outcome", False):
            check(name, task)


def check(name: str, task: AnyTask) -> None:
    """Raise TaskMisdeclaredError for a task that could not be relied on."""
    for find in _FINDERS:
        for change in find(task):
            raise TaskMisdeclaredError(f"Task {name}: {change}.")


def check_canvas(canvas: Callable[..., Any], reach: Reach) -> None:
    """Raise TaskMisdeclaredError where a canvas names a task that it cannot run."""
    for task in reach.tasks:
        if not getattr(task, "records_outcome", False):
            raise TaskMisdeclaredError(
                f"Task {task.name}: have its class inherit BaseErrorHandlerMixin, or leave base out;"
                f" {_named(canvas)} uses it."
            )
        if current_app.tasks.get(task.name or "") is not task:
            raise TaskMisdeclaredError(
                f"Task {task.name or type(task).__qualname__}: register it, by @shared_task or"
                f" current_app.register_task(...); {_named(canvas)} uses it."
            )


def duplicate(warning: DuplicateTaskNameWarning) -> TaskMisdeclaredError:
    """Return the error for two functions with one task's name, of which Celery would run the first for both."""
    taken, which, *_ = str(warning).strip().split("\n\n")
    # In one order: Celery does not register them in that of their modules.
    one, other = sorted(line.partition(":")[2].strip() for line in which.splitlines())
    return TaskMisdeclaredError(f"{taken} Give {one} or {other} another name.")


def _find_class_faults(task: AnyTask) -> Iterator[str]:
    order = type(task).__mro__
    if BaseErrorHandlerMixin not in order:
        yield "have its class inherit BaseErrorHandlerMixin"
        return
    if order.index(BaseErrorHandlerMixin) > order.index(Task):
        yield "put BaseErrorHandlerMixin first among the bases of its class; it comes after Task"
    if not issubclass(symbol_by_name(task.Request), LedgerRequest):
        yield "leave out Request, or inherit tasks.request.LedgerRequest; a lost worker would not be recorded"
    for owner in order[: order.index(BaseErrorHandlerMixin)]:
        for method in _RECORDERS:
            own = vars(owner).get(method)
            if own is not None and method not in own.__code__.co_names:
                yield f"have {owner.__qualname__}.{method} call super().{method}(...), which records the outcome"


def _find_message_faults(task: AnyTask) -> Iterator[str]:
    if task.acks_late or task.reject_on_worker_lost:
        yield (
            "leave out acks_late and reject_on_worker_lost, and say retry_on_worker_lost = True where it may run"
            " again; what a lost worker leaves is taken up from the database"
        )
    if task.expires is not None:
        yield "leave out expires; clients give expires_in, and an action has its time_budget"
    if task.serializer not in (None, "json"):
        yield f"leave out serializer; no worker takes messages that are {task.serializer}"
    if len(task.name or "") > LONGEST_NAME:
        yield f"give it a name of at most {LONGEST_NAME} characters"


def _find_limit_faults(task: AnyTask) -> Iterator[str]:
    for option in ("soft_time_limit", "time_limit"):
        limit = getattr(task, option)
        if limit is not None and not (_is_number(limit) and limit > 0):
            yield f"give it a {option} in seconds, above 0, or None, not {limit!r}"
    if task.soft_time_limit and task.time_limit and task.soft_time_limit >= task.time_limit:
        yield f"give it a soft_time_limit below its time_limit of {task.time_limit:g} s, or it never strikes"


def _find_retry_faults(task: AnyTask) -> Iterator[str]:
    most = task.max_retries
    if most is not None and not (type(most) is int and most >= 0):
        yield f"give it max_retries from 0, or None for no limit, not {most!r}"
    for option in ("retry_on_worker_lost", "terminate_on_cancel"):
        if not isinstance(getattr(task, option), bool):
            yield f"give it {option} = True or False, not {getattr(task, option)!r}"
    for option in ("autoretry_for", "dont_autoretry_for"):
        for error in getattr(task, option, ()):
            if not (isinstance(error, type) and issubclass(error, BaseException)):
                yield f"change {option}: {error!r} is no class of exceptions"


def _find_unknown_options(task: AnyTask) -> Iterator[str]:
    """Yield what was given to the decorator and is read by nobody: Celery takes any option in silence."""
    cls = type(task)
    if not vars(cls).get("_decorated"):
        return
    configured = {name for name, _ in cls.from_config}
    known = {name for base in cls.__mro__[1:] for name in vars(base)} | configured | _OPTIONS | _OF_CELERY
    for option in vars(cls):
        if option not in known and not option.startswith(("__", "_decorated")):
            similar = "".join(f" but {name}" for name in get_close_matches(option, known, n=1))
            yield f"change {option}; a task has no such option{similar}"


_FINDERS = (_find_class_faults, _find_message_faults, _find_limit_faults, _find_retry_faults, _find_unknown_options)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _named(canvas: Callable[..., Any]) -> str:
    return f"{canvas.__module__}.{canvas.__qualname__}"
