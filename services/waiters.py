"""Requests that wait for a report to become final. Each holds a thread, so there is room for a few in a process."""

from threading import Semaphore
from time import monotonic, sleep
from uuid import UUID

from django.conf import settings

from reports import selectors
from reports.errors import TooManyWaitersError
from reports.models import FINAL

# Seconds between two looks at the report: short at first, for an action that is done in no time.
_SHORTEST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5
_GROWTH = 1.5

_room = Semaphore(settings.REQUEST_MAX_WAITERS)


def wait_until_final(report: UUID, seconds: float) -> bool:
    """Wait until a report is final, ``seconds`` at most. Returns whether it is; one that does not exist is not.

    Raises:
        TooManyWaitersError: as many wait in this process as may; nothing was waited for.

    """
    if not _room.acquire(blocking=False):
        raise TooManyWaitersError(
            f"{settings.REQUEST_MAX_WAITERS} requests wait in this process; that is all that may."
        )
    try:
        return _poll(report, until=monotonic() + seconds)
    finally:
        _room.release()


def _poll(report: UUID, *, until: float) -> bool:
    pause = _SHORTEST_PAUSE
    while (status := selectors.find_status(report)) not in FINAL:
        left = until - monotonic()
        if status is None or left <= 0:
            return False
        sleep(min(pause, left))
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)
    return True
