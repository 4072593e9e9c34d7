"""Which action a line of the log is about, where that is not the one at hand."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError
from structlog.contextvars import bound_contextvars

from reports import selectors
from reports.selectors import Standing


def naming(id_: UUID, standing: Standing | None, *, task: str, **more: Any) -> AbstractContextManager[None]:
    """Have each line within name a task, and the action's report that it belongs to where that is known."""
    action = {"report": str(standing.root), "action": standing.action} if standing else {}
    return bound_contextvars(task=task, task_id=str(id_), **action, **more)


@contextmanager
def looking_up(id_: UUID, *, task: str, **more: Any) -> Iterator[None]:
    """Do the same for a task of whose action nothing is known: costs a query, for what is seldom logged.

    A database that is away keeps no line from being logged.
    """
    try:
        standing = selectors.find_standing(id_)
    except (DatabaseError, InterfaceError):
        standing = None
    with naming(id_, standing, task=task, **more):
        yield
