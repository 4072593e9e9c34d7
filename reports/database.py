"""The few words of SQL that PostgreSQL and SQLite spell differently, and raw statements for the hot path.

Raw statements because they return what they changed in the same round trip (``RETURNING``), which the ORM cannot:
a claim costs 0.16 ms of CPU instead of 0.77 ms for an ``update()`` and a read.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection

from reports.models import AsyncActionReport

TABLE = AsyncActionReport._meta.db_table  # noqa: SLF001  Django documents `_meta` as its API for this

# Django keeps a UUID in SQLite as its 32 hexadecimal digits.
sqlite3.register_adapter(UUID, lambda value: value.hex)

Row = tuple[Any, ...]
Answer = Callable[[], list[Row]]
Value = TypeVar("Value")


def now() -> str:
    """Return SQL for the database's own clock, the only clock that transitions trust."""
    if connection.vendor == "postgresql":
        return "statement_timestamp()"
    return "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')"


def later(seconds: str = "%s") -> str:
    """Return SQL for the database's clock in ``seconds``, an SQL expression or a parameter."""
    if connection.vendor == "postgresql":
        return f"statement_timestamp() + make_interval(secs => {seconds})"
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', ({seconds}) || ' seconds')"


def seconds_since(column: str) -> str:
    """Return SQL for the seconds that have passed since a moment in the past."""
    if connection.vendor == "postgresql":
        return f"EXTRACT(EPOCH FROM statement_timestamp() - {column})::float8"
    return f"((julianday('now') - julianday({column})) * 86400.0)"


def seconds_between(earlier: str, later: str) -> str:
    """Return SQL for the seconds from one moment to another, both SQL expressions."""
    if connection.vendor == "postgresql":
        return f"EXTRACT(EPOCH FROM {later} - {earlier})"
    return f"(julianday({later}) - julianday({earlier})) * 86400.0"


def has_status(status: str, column: str = "status") -> str:
    """Return SQL for the status of a report that is known by its id.

    Plain equality lets PostgreSQL look for the id in an index of all that waits, or runs, where its statistics say that
    nothing does. When thousands wait, each statement reads all of them: a backlog took twice as long and more.
    """
    return f"COALESCE({column}, '') = '{status}'"


def skip_locked() -> str:
    """Return the clause that lets several workers take batches side by side. SQLite has one writer at a time."""
    return "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""


def for_update() -> str:
    """Return the clause that locks what is read. In SQLite, IMMEDIATE transactions have the whole lock already."""
    return "FOR UPDATE" if connection.vendor == "postgresql" else ""


def reaching_out(column: str, table: str, query: str) -> str:
    """Return SQL for what a ``query`` of that one column finds for each row ``o`` of a table, which it may refer to."""
    if connection.vendor == "postgresql":
        return f"SELECT found.{column} FROM {table} o CROSS JOIN LATERAL ({query}) found"  # noqa: S608
    return (
        f"SELECT found.value AS {column} FROM {table} o,"  # noqa: S608
        f" json_each((SELECT json_group_array({column}) FROM ({query}))) found"
    )


def limit_lock_waits(seconds: float) -> None:
    """Have this connection wait for a lock no longer than this from now on, and raise OperationalError instead.

    For those who must go on with others' reports when somebody keeps one locked. In SQLite there is only the one lock.
    """
    if connection.vendor == "postgresql":
        fetch_one("SELECT set_config('lock_timeout', %s, false)", [f"{seconds * 1000:.0f}ms"])


def fetch_all(sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
    """Run a statement and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[Row] = cursor.fetchall()
    return rows


def fetch_one(sql: str, parameters: Sequence[Any] = ()) -> Row | None:
    """Run a statement and return its first row, ``None`` without one."""
    rows = fetch_all(sql, parameters)
    return rows[0] if rows else None


def execute(sql: str, parameters: Sequence[Any] = ()) -> int:
    """Run a statement and return how many rows it changed; -1 within :func:`pipelined`, where nobody knows yet."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        changed: int = cursor.rowcount
    return changed


@contextmanager
def pipelined() -> Iterator[None]:
    """Have PostgreSQL do what is asked for by :func:`ask` one after another, without a wait for each answer.

    The ledger's part of an action of two tasks takes 1.55 instead of 1.78 ms so, and four round trips less where the
    database is far away. Answers are to be called for afterwards. Source: psycopg's pipeline mode.
    """
    if connection.vendor != "postgresql":
        yield
        return
    # Now, for with the first statement it would be too late: a new connection has no pipeline.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def ask(sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Answer:
    """Send a statement that returns rows; what is returned gives them."""
    cursor: Any = connection.cursor()
    cursor.execute(sql, parameters)
    if connection.vendor == "postgresql":
        return lambda: list(cursor.fetchall())
    rows: list[Row] = cursor.fetchall()  # SQLite has done it only then
    return lambda: rows


def batches(values: Iterable[Value], size: int) -> Iterator[list[Value]]:
    """Return the values in portions of ``size``, so that a statement does not have too many."""
    iterator = iter(values)
    while batch := list(islice(iterator, size)):
        yield batch


def as_uuid(value: UUID | str) -> UUID:
    """Return a UUID that a raw statement returned."""
    return value if isinstance(value, UUID) else UUID(value)


def as_bool(value: int | None) -> bool | None:
    """Return a truth value that a raw statement returned; SQLite keeps it as a number."""
    return None if value is None else bool(value)


def as_moment(value: datetime | str | None) -> datetime | None:
    """Return a time stamp that a raw statement returned, aware."""
    # SQLite has no time zones; Django reads its columns as naive time stamps, its expressions as text, both in UTC.
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def as_iso(value: datetime | str | None) -> str | None:
    """Return a time stamp that a raw statement returned, as RFC 3339 text in UTC. SQLite keeps UTC as plain text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return f"{value.replace(' ', 'T')}Z" if value else None


def as_parameter(moment: datetime | None) -> Any:
    """Return an aware moment as a raw statement's parameter."""
    return connection.ops.adapt_datetimefield_value(moment)


def as_bound(moment: datetime) -> Any:
    """Return an aware moment as a parameter that time stamps of the database's clock are compared with.

    SQLite compares text, in which its clock has milliseconds: the next one is as good a bound.
    """
    if connection.vendor == "postgresql":
        return as_parameter(moment)
    up = moment.astimezone(UTC) + timedelta(milliseconds=1) - timedelta.resolution
    return up.replace(tzinfo=None).isoformat(" ", "milliseconds")
