import time
from collections.abc import Iterator

import pytest
from django.db import close_old_connections, connection, transaction

from config.postgres import base

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="It is PostgreSQL's own."),
]


@pytest.fixture(autouse=True)
def _new_connection() -> Iterator[None]:
    connection.close()
    connection._answered_at = float("-inf")
    yield
    connection.close()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    monkeypatch.setattr(connection, "is_usable", lambda: asked.append("asked") or True)
    return asked


def _request() -> None:
    close_old_connections()  # as Django does where a request begins
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_a_connection_is_asked_once_a_second_not_once_a_request(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        _request()
    assert asked == ["asked"]
    monkeypatch.setattr(base, "_TRUSTED", 0.0)
    _request()
    assert asked == ["asked", "asked"]


def test_a_request_that_takes_longer_is_not_asked_in_the_middle(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        _request()
    before = len(asked)
    close_old_connections()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        monkeypatch.setattr(base, "_TRUSTED", -time.monotonic())
        cursor.execute("SELECT 2")
    assert len(asked) == before


def test_one_that_was_cut_is_replaced_where_it_was_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_TRUSTED", 0.0)
    _request()
    connection.connection.close()
    _request()
