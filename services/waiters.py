"""Clients that wait for a report: held by a thread each, without a connection to the database, and only so many."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from uuid import UUID

from django.conf import settings

from reports import selectors
from reports.errors import TooManyWaitersError
from reports.models import FINAL
from reports.selectors import Report
from services.connections import given_back
from services.lookout import Lookout, Watch


class Places:
    """So many at the same time, in this process, as a setting says."""

    def __init__(self, setting: str) -> None:
        self._setting = setting
        self._taken = 0
        self._lock = Lock()

    def take(self) -> None:
        """Take a place, to be left again. Raises TooManyWaitersError where there is none."""
        limit = getattr(settings, self._setting)
        with self._lock:
            if self._taken >= limit:
                raise TooManyWaitersError(f"{self._taken} wait in this process; {self._setting} is {limit}.")
            self._taken += 1

    def leave(self) -> None:
        """Let somebody else have the place."""
        with self._lock:
            self._taken -= 1


_requests = Places("REQUEST_MAX_WAITERS")
_streams = Places("EVENTS_MAX_CLIENTS")
_lookout = Lookout()


def wait_until_final(report: UUID, seconds: float) -> bool:
    """Wait until an action's report is final, ``seconds`` at most. Returns whether it is; one that is not there is not.

    Raises:
        TooManyWaitersError: as many wait in this process as may; nothing was waited for.

    """
    _requests.take()
    try:
        with watching(report, _is_final) as watch:
            if selectors.find_status(report) in FINAL:
                return True
            with given_back():
                return watch.wait(seconds) and watch.seen is not None
    finally:
        _requests.leave()


def take_stream() -> None:
    """Take a place for a client that hears of a report's changes, until ``leave_stream``.

    Raises:
        TooManyWaitersError: there is none.

    """
    _streams.take()
    try:
        _requests.take()
    except TooManyWaitersError:
        _streams.leave()
        raise


def leave_stream() -> None:
    """Leave the place that was taken for a stream."""
    _requests.leave()
    _streams.leave()


@contextmanager
def watching(report_id: UUID, wanted: Callable[[Report], bool]) -> Iterator[Watch]:
    """Have an eye kept on an action's report, until it is as ``wanted``."""
    with _lookout.watching(report_id, wanted) as watch:
        yield watch


def dismiss() -> None:
    """Let everybody go who waits, and have nobody wait any more: this process is about to end."""
    _lookout.close()


def _is_final(report: Report) -> bool:
    return report.status in FINAL
