from collections.abc import Callable
from typing import Any
from uuid import UUID

from celery import bootsteps
from celery.exceptions import InvalidTaskError

Strategy = Callable[..., Any]


class LedgerTasksOnlyStep(bootsteps.StartStopStep):
    """Has a worker take messages for tasks of the ledger alone, and refuse every other one as unknown.

    A task of some library that knows no ledger would run for whoever writes to the broker, with any arguments. Celery's
    built-in tasks have no use here either: canvases are kept in the ledger.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        consumer.strategies = {
            name: _refusing_nonsense(_refusing_extras(strategy))
            for name, strategy in consumer.strategies.items()
            if getattr(consumer.app.tasks[name], "records_outcome", False) and not name.startswith("celery.")
        }


def _refusing_extras(strategy: Strategy) -> Strategy:
    """Refuse a message with more in it than a report's id: a callback, say, would run work that nobody requested."""

    def handle(message: Any, body: Any, *rest: Any) -> Any:
        args, kwargs, embedded = message.payload
        headers = message.headers
        if str(UUID(headers["id"])) != headers["id"]:
            raise InvalidTaskError("The id is no report's.")
        if args or kwargs or any(embedded.values()) or headers.get("eta") or headers.get("expires"):
            raise InvalidTaskError("A message carries a report's id and nothing else.")
        return strategy(message, body, *rest)

    return handle


def _refusing_nonsense(strategy: Strategy) -> Strategy:
    """Refuse a message that makes no sense. It would end the worker, be put back, and end the next one."""

    def handle(*arguments: Any) -> Any:
        try:
            return strategy(*arguments)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise InvalidTaskError(f"This message makes no sense: {error}") from error

    return handle
