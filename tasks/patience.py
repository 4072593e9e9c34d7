import logging
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError, connection
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

from services.metrics.counted import count_database_error
from tasks.limits import holding_back_limits

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")


def patiently(write: Callable[[], Answer]) -> Answer:
    """Run a write to the ledger, again and again while the database refuses it, for ``OUTCOME_PATIENCE`` seconds.

    It may be away, or its disk full, or have become read-only, or lack a column until it is migrated.

    Every write is guarded by its attempt, so one that was committed unheard changes nothing when it is repeated.
    A soft time limit strikes after it.

    Raises:
        DatabaseError, InterfaceError: the database refused for too long, or refuses these very values.

    """
    with holding_back_limits():
        try:
            return write()  # at once, for most: building what repeats it costs a tenth of a whole hand-over
        except (DatabaseError, InterfaceError) as error:
            if not _may_pass(error):
                raise
            connection.close()
        return _retrying()(write)


def if_possible(word: Callable[[], None]) -> None:
    """Tell the ledger, or ask it, what a task can go on without: once more where its connection was cut, then no more.

    Raises:
        OperationalError, InterfaceError: in a transaction of the task's own, which has ended with the connection.

    """
    for _ in range(2):
        try:
            word()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block:
                raise
            logger.warning("A task that goes on does not reach the ledger: %s", error)
            count_database_error("task")
            connection.close()
        else:
            return


def _retrying() -> Retrying:
    return Retrying(
        retry=retry_if_exception(_may_pass),
        wait=wait_exponential_jitter(multiplier=0.1, max=5),
        stop=stop_after_delay(settings.OUTCOME_PATIENCE),
        before_sleep=_drop_connection,
        reraise=True,
    )


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, DatabaseError | InterfaceError) and not isinstance(error, DataError | IntegrityError)


def _drop_connection(_: RetryCallState) -> None:
    count_database_error("task")
    connection.close()
