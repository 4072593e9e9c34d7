"""Connections to the database in a web process: a few, which go to whichever of its many threads has work for one.

Django keeps a connection for every thread. A web process has hundreds of threads, so that many clients may wait, and
a database server does not like hundreds of connections.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, local

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper


class Lender:
    """Lends up to ``limit`` connections. Those that are idle stay open, and the one used last is lent first."""

    def __init__(self, limit: int) -> None:
        self._places = BoundedSemaphore(limit)
        self._idle: list[BaseDatabaseWrapper] = []
        self._borrowed = local()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Have a connection while this runs; waits for one where all are lent. Within itself, it is the same one."""
        if self._current() is not None:
            yield
            return
        self._borrow()
        try:
            yield
        finally:
            self._give_back()

    @contextmanager
    def given_back(self) -> Iterator[None]:
        """Have none while this runs, as it waits for something else. In a transaction, the connection is kept."""
        current = self._current()
        if current is None or current.in_atomic_block:
            yield
            return
        self._give_back()
        try:
            yield
        finally:
            self._borrow()

    def _current(self) -> BaseDatabaseWrapper | None:
        return getattr(self._borrowed, "connection", None)

    def _borrow(self) -> None:
        self._places.acquire()
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = connections.create_connection(DEFAULT_DB_ALIAS)
            connection.inc_thread_sharing()
        connections[DEFAULT_DB_ALIAS] = self._borrowed.connection = connection
        # As at the beginning of a request: it may have been lost meanwhile, which is found out before its next use.
        connection.close_if_unusable_or_obsolete()

    def _give_back(self) -> None:
        connection = self._borrowed.connection
        self._borrowed.connection = None
        del connections[DEFAULT_DB_ALIAS]
        self._idle.append(connection)
        self._places.release()


_lender: Lender | None = None


def start_lending(limit: int) -> None:
    """Have the threads of this process share so many connections. Without it, each has its own, as Django has it."""
    global _lender  # noqa: PLW0603  a process has one database
    _lender = Lender(limit)


@contextmanager
def lent() -> Iterator[None]:
    """Have a connection to the database while this runs."""
    if _lender is None:
        yield
    else:
        with _lender.lent():
            yield


@contextmanager
def given_back() -> Iterator[None]:
    """Leave the connection to others while this runs, as it waits for something else than the database."""
    if _lender is None:
        yield
    else:
        with _lender.given_back():
            yield
