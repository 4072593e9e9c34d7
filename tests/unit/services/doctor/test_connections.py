from datetime import timedelta

import pytest
import redis
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils.timezone import now

from services.doctor import connections

APPLIED = MigrationRecorder.Migration.objects


@pytest.fixture
def postgresql(db):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has neither versions to refuse nor standbys.")


# The database


@pytest.mark.django_db
def test_a_database_that_answers(told):
    [(verdict, what)] = told(connections.examine_database())
    assert (verdict, what.startswith("The database answers: ")) == ("ok", True)


def test_one_that_is_too_old(told, postgresql, monkeypatch):
    monkeypatch.setattr(connection, "get_database_version", lambda: (14, 9))
    assert told(connections.examine_database()) == [("wrong", "The database is PostgreSQL 14.")]


def test_one_that_can_only_be_read(told, postgresql):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")
    assert told(connections.examine_database()) == [("wrong", "The database can only be read.")]


# Its tables


@pytest.mark.django_db
def test_tables_that_are_up_to_date(told):
    assert told(connections.examine_migrations()) == [("ok", "All migrations are applied.")]


@pytest.mark.django_db
def test_tables_that_are_not(told):
    APPLIED.filter(app="reports").exclude(name="0001_initial").delete()
    [(verdict, what)] = told(connections.examine_migrations())
    assert verdict == "wrong"
    assert what.startswith("Migrations are not applied: reports.0002_tree_by_id, ")


@pytest.mark.django_db
def test_many_that_are_not_are_counted(told):
    APPLIED.all().delete()
    [(_, what)] = told(connections.examine_migrations())
    assert what.count(",") == 4
    assert what.endswith(" more.")


@pytest.mark.django_db
def test_tables_of_a_newer_version(told):
    APPLIED.create(app="reports", name="9999_of_tomorrow")
    [(verdict, what)] = told(connections.examine_migrations())
    assert verdict == "mind"
    assert what == "The database has migrations that this code does not know: reports.9999_of_tomorrow."


@pytest.mark.django_db
@pytest.mark.parametrize(("unknown", "end"), [(6, ", reports.9995."), (7, " and 2 more.")])
def test_one_more_is_named_rather_than_counted(told, unknown, end):
    for number in range(unknown):
        APPLIED.create(app="reports", name=f"999{number}")
    [(_, what)] = told(connections.examine_migrations())
    assert what.endswith(end)


# Clocks


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("seconds", "finding"),
    [
        (0, ("ok", "This machine's clock and the database's agree.")),
        (1, ("ok", "This machine's clock and the database's agree.")),
        (60, ("wrong", "This machine's clock is 60 s ahead of the database's.")),
        (-60, ("wrong", "This machine's clock is 60 s behind the database's.")),
    ],
)
def test_clocks(told, monkeypatch, seconds, finding):
    monkeypatch.setattr(connections, "now", lambda: now() + timedelta(seconds=seconds))
    assert told(connections.examine_clocks()) == [finding]


# The broker, and Redis


def test_a_broker_that_answers(told, empty_broker):
    assert told(connections.examine_broker()) == [("ok", "The broker answers.")]


def test_a_broker_that_is_away(told, dead_broker):
    [(verdict, what)] = told(connections.examine_broker())
    assert verdict == "wrong"
    assert what.startswith("The broker does not answer: ")


@pytest.fixture
def limit_memory(empty_broker, settings):
    with redis.Redis.from_url(settings.BROKER_URL) as client:

        def limit_memory(most, policy):
            client.config_set("maxmemory", most)
            client.config_set("maxmemory-policy", policy)

        yield limit_memory
        limit_memory("0", "noeviction")


@pytest.mark.parametrize(
    ("most", "policy", "finding"),
    [
        (
            "100mb",
            "allkeys-lru",
            ("mind", "The broker throws messages away when its memory is full (maxmemory-policy allkeys-lru)."),
        ),
        ("100mb", "noeviction", ("ok", "The broker answers.")),
        ("0", "allkeys-lru", ("ok", "The broker answers.")),
    ],
)
def test_a_broker_that_throws_messages_away(told, limit_memory, most, policy, finding):
    limit_memory(most, policy)
    assert told(connections.examine_broker()) == [finding]


def test_rabbitmq_is_not_asked_for_its_memory(settings):
    assert connections._evicting_policy("amqp://localhost") == ""


def test_a_redis_that_answers(told, valkey):
    assert told(connections.examine_redis()) == [("ok", "Redis answers.")]


def test_a_redis_that_is_away(told, dead_broker):
    [(verdict, what)] = told(connections.examine_redis())
    assert verdict == "wrong"
    assert what.startswith("Redis does not answer: ")


def test_a_redis_whose_address_makes_no_sense(told, settings):
    settings.REDIS_URL = "redis://localhost:secret/0"
    [(verdict, _)] = told(connections.examine_redis())
    assert verdict == "wrong"
