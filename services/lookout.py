"""One thread of a web process that looks out for all its clients who wait for a report to change."""

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from time import monotonic
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connections
from redis import RedisError

from reports import selectors
from reports.selectors import Report
from services.announcements import Subscription
from services.connections import lent

logger = logging.getLogger(__name__)

# Seconds after which the database is asked about all that is watched: an announcement may have been lost. Where Redis
# is away, every one is.
_RECHECK = 5.0
_RECHECK_ALONE = 1.0
# Seconds between two looks, so that reports which change all the time are not read all the time.
_PACE = 0.02
# Seconds that whoever comes first waits until announcements are heard.
_BEGINNING = 1.0
# Seconds without anybody who waits, after which the thread ends.
_IDLE = 60.0


class Watch:
    """Somebody waits for one action's report: until it is ``seen`` to be what they want, or to be gone."""

    def __init__(self, report: UUID, wanted: Callable[[Report], bool]) -> None:
        self.report = report
        self.seen: Report | None = None
        self.has_ended = False
        self._wanted = wanted
        self._called = Event()

    def wait(self, seconds: float) -> bool:
        """Wait. Returns whether it was worth it: the report is to be read, now."""
        return self._called.wait(seconds)

    def again(self) -> None:
        """Wait once more from now on; to be followed by a read, which finds what has changed before."""
        if not self.has_ended:
            self._called.clear()

    def see(self, report: Report | None) -> None:
        """Be shown the report."""
        if report is None or self._wanted(report):
            self.seen = report
            self._called.set()

    def end(self) -> None:
        """Wait no longer, whatever the report is."""
        self.has_ended = True
        self._called.set()


class Lookout:
    """Asks the database, once for all, about those reports that were announced as changed, from time to time about all.

    The thread runs while anybody waits. So many clients as there are waiting, there is one connection to Redis, and
    one statement to the database a time.
    """

    def __init__(self) -> None:
        self._watches: dict[UUID, set[Watch]] = {}
        self._lock = Lock()
        self._thread: Thread | None = None
        self._begun = Event()
        self._closed = Event()
        self._subscription: Subscription | None = None
        self._recheck_at = 0.0
        self._needed_at = 0.0

    @contextmanager
    def watching(self, report: UUID, wanted: Callable[[Report], bool]) -> Iterator[Watch]:
        """Have a watch on an action's report. Whatever changes from now on is noticed: read it first, then wait."""
        watch = Watch(report, wanted)
        with self._lock:
            self._watches.setdefault(report, set()).add(watch)
            if self._closed.is_set():
                watch.end()
            elif self._thread is None:
                self._begin()
        if not watch.has_ended:
            self._begun.wait(_BEGINNING)
        try:
            yield watch
        finally:
            with self._lock:
                self._watches[report].discard(watch)
                if not self._watches[report]:
                    del self._watches[report]

    def close(self) -> None:
        """Let everybody go who waits, and whoever comes from now on: the process ends."""
        with self._lock:
            self._closed.set()
            thread = self._thread
            watches = [watch for watches in self._watches.values() for watch in watches]
        for watch in watches:
            watch.end()
        if thread:
            thread.join()

    def _begin(self) -> None:
        self._begun.clear()
        self._recheck_at = self._needed_at = monotonic()
        self._thread = Thread(target=self._run, name="lookout", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self._is_needed():
            try:
                self._look(self._listen())
            except Exception:
                logger.exception("The lookout has stumbled; it goes on.")
                self._closed.wait(_RECHECK_ALONE)
            self._closed.wait(_PACE)
        connections.close_all()

    def _is_needed(self) -> bool:
        with self._lock:
            if self._watches:
                self._needed_at = monotonic()
            if self._closed.is_set() or monotonic() - self._needed_at > _IDLE:
                # In the same breath: who comes now begins another thread, with a subscription of its own.
                self._drop_subscription()
                self._thread = None
            return self._thread is not None

    def _listen(self) -> Collection[UUID]:
        """Return the reports that may have changed, once there may be some."""
        try:
            if self._subscription is None:
                self._subscription = Subscription()
                self._recheck_at = monotonic()  # for what was announced before
            self._begun.set()
            changed = self._subscription.heard(max(0.0, self._recheck_at - monotonic()))
        except RedisError as error:
            if self._subscription or not self._begun.is_set():
                logger.warning("Reports are watched without Redis: %s", error)
            self._begun.set()
            self._drop_subscription()
            self._closed.wait(_RECHECK_ALONE)
            return self._watched()
        if monotonic() < self._recheck_at:
            return changed & self._watched()
        self._recheck_at = monotonic() + _RECHECK
        return self._watched()

    def _watched(self) -> set[UUID]:
        with self._lock:
            return set(self._watches)

    def _look(self, ids: Collection[UUID]) -> None:
        try:
            with lent():
                reports = selectors.find_outlines(ids)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Cannot see whether reports have changed: %s", error)
            connections.close_all()
            return
        with self._lock:
            watches = [watch for id_ in ids for watch in self._watches.get(id_, ())]
        for watch in watches:
            watch.see(reports.get(watch.report))

    def _drop_subscription(self) -> None:
        if self._subscription:
            with suppress(RedisError):
                self._subscription.close()
            self._subscription = None
