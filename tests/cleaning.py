"""Cleaning up after a test that has committed: what `migrate` has made stays, if the test has left it alone.

Django deletes that as well and makes it anew, for 60 ms of processor time after each of five hundred tests.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.db import connection
from django.test import TransactionTestCase

_MADE = (ContentType, Permission, Group, Group.permissions.through)
_delete_everything_and_make_it_anew = TransactionTestCase._fixture_teardown


def cleaner() -> Callable[[TransactionTestCase], None]:
    """Return what deletes all that a test has committed. It is called when `migrate` has run, and nothing since."""
    made = _rows_made()

    def clean(test: TransactionTestCase) -> None:
        nonlocal made
        if _rows_made() == made:
            _delete_all_but_what_is_made()
        else:
            _delete_everything_and_make_it_anew(test)
            made = _rows_made()

    return clean


def _rows_made() -> list[list[Any]]:
    return [list(model._default_manager.order_by("pk").values_list()) for model in _MADE]


def _delete_all_but_what_is_made() -> None:
    kept = {model._meta.db_table for model in _MADE}
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - kept
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), sorted(tables)))
