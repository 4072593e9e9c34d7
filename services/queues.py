from collections.abc import Iterable, Mapping
from typing import Any

from celery import current_app
from django.conf import settings
from kombu.exceptions import ChannelError, OperationalError

_DESTINATION = ("queue", "exchange", "routing_key")


def find_empty(names: Iterable[str]) -> list[str]:
    """Return those queues that have no message, nor exist.

    Raises:
        OperationalError: the broker is away.

    """
    with current_app.pool.acquire(block=True) as connection:
        # Kombu does not open a connection again by itself that it had closed when the broker went away.
        connection.ensure_connection(max_retries=0)  # type: ignore[attr-defined]
        try:
            return [name for name in names if _count_messages(connection, name) == 0]
        except connection.connection_errors as error:  # type: ignore[attr-defined]
            raise OperationalError(str(error)) from error


def name_for(task: str, options: Mapping[str, Any] | None = None) -> str:
    """Return the queue that a task's messages go to; ``options`` are those of its signature."""
    known = current_app.tasks.get(task)
    # As `send_task` does: what a task's class says comes before the routes.
    named = {name: getattr(known, name) for name in _DESTINATION if getattr(known, name, None) is not None}
    route = current_app.amqp.router.route({**named, **(options or {})}, task, task_type=type(known) if known else None)
    return str(route["queue"].name)


def tasks_by_queue() -> dict[str, list[str]]:
    """Return the names of the tasks that this process knows and the ledger has to do with, by their queues."""
    names: dict[str, list[str]] = {}
    for name, task in current_app.tasks.items():
        if getattr(task, "records_outcome", False):
            names.setdefault(name_for(name), []).append(name)
    return names


def require_broker() -> None:
    """See that the broker answers.

    Raises:
        OperationalError: it is away.

    """
    find_empty([settings.TASK_DEFAULT_QUEUE])


def _count_messages(connection: object, name: str) -> int:
    try:
        with connection.channel() as channel:  # type: ignore[attr-defined]
            return int(channel.queue_declare(name, passive=True).message_count)
    except ChannelError:
        return 0  # Redis keeps no empty list, and a wiped broker knows no queue
