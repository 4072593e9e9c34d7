"""A database that answers, and refuses to write."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from reports.models import AsyncActionReport

_TABLE = AsyncActionReport._meta.db_table
_POSTGRESQL = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE 'This is refused.' USING ERRCODE = '{code}'; END $$;
    CREATE {constraint} TRIGGER refuse {moment} {event} ON {table} {deferred}
    FOR EACH ROW {when} EXECUTE FUNCTION refuse()
    """
_SQLITE = """
    CREATE TRIGGER refuse BEFORE {event} ON {table} FOR EACH ROW {when}
    BEGIN SELECT RAISE(ABORT, 'This is refused.'); END
    """


@contextmanager
def refusing(event: str, *, when: str = "", code: str = "P0001", at_commit: bool = False) -> Iterator[None]:
    """Have the database refuse to INSERT or UPDATE reports ``when`` a condition on OLD and NEW holds.

    PostgreSQL does so with an error ``code`` of its own, or only when the transaction is committed.
    """
    when = f"WHEN ({when})" if when else ""
    text = _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE
    constraint, moment, deferred = (
        ("CONSTRAINT", "AFTER", "DEFERRABLE INITIALLY DEFERRED") if at_commit else ("", "BEFORE", "")
    )
    drop = "DROP FUNCTION refuse CASCADE" if connection.vendor == "postgresql" else "DROP TRIGGER refuse"
    with connection.cursor() as cursor:
        cursor.execute(
            text.format(
                event=event, table=_TABLE, when=when, code=code, constraint=constraint, moment=moment, deferred=deferred
            )
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(drop)
