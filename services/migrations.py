from functools import cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def find_missing() -> list[str]:
    """Return the migrations of this code that the database lacks, such as ``reports.0001_initial``.

    Those that it has of a newer version's are no concern of this one: versions run side by side during a deploy.

    Raises:
        DatabaseError, InterfaceError: the database is away.

    """
    missing = _known() - set(MigrationRecorder(connection).applied_migrations())
    return [f"{app}.{name}" for app, name in sorted(missing)]


def find_unknown() -> list[str]:
    """Return the migrations that the database has and this code does not know, of the applications that it knows.

    Raises:
        DatabaseError, InterfaceError: the database is away.

    """
    applications = {app for app, _ in _known()}
    unknown = set(MigrationRecorder(connection).applied_migrations()) - _known()
    return [f"{app}.{name}" for app, name in sorted(unknown) if app in applications]


@cache
def _known() -> frozenset[tuple[str, str]]:
    # Reading them from the disk takes a tenth of a second.
    return frozenset(MigrationLoader(None).graph.nodes)
