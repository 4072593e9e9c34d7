from collections.abc import Iterable

from celery import current_app
from django.conf import settings
from kombu.exceptions import ChannelError, OperationalError


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
