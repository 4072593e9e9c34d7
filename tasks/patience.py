from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

Answer = TypeVar("Answer")


def patiently(write: Callable[[], Answer]) -> Answer:
    """Run a write to the ledger, again and again while the database is away, for ``OUTCOME_PATIENCE`` seconds.

    Every write is guarded by its attempt, so one that was committed unheard changes nothing when it is repeated.

    Raises:
        OperationalError, InterfaceError: the database stayed away for too long.

    """
    return _retrying()(write)


def _retrying() -> Retrying:
    return Retrying(
        retry=retry_if_exception_type((OperationalError, InterfaceError)),
        wait=wait_exponential_jitter(multiplier=0.1, max=5),
        stop=stop_after_delay(settings.OUTCOME_PATIENCE),
        before_sleep=_drop_connection,
        reraise=True,
    )


def _drop_connection(_: RetryCallState) -> None:
    connection.close()
