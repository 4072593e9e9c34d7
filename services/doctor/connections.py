"""What the service cannot do without: its database, its broker, its Redis."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils.timezone import now
from kombu.exceptions import OperationalError

from reports import selectors
from reports.database import fetch_one
from services import migrations, queues
from services.doctor.findings import Finding, mind, ok, reason, wrong

_OLDEST_POSTGRESQL = 15
_LARGEST_SKEW = 2.0  # seconds
_CONNECT_TIMEOUT = 2.0  # seconds
_REPLY_TIMEOUT = 3.0  # seconds


def examine_database() -> Iterator[Finding]:
    """See that the database answers, is new enough, and can be written to."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError) as error:
        yield wrong(
            f"The database does not answer: {reason(error)}.",
            "See that it runs, that DATABASE_URL names it, and that its user may log in from here.",
        )
        return
    if connection.vendor == "postgresql":
        yield from _examine_postgresql()
    else:
        yield ok("The database answers: SQLite.")


def _examine_postgresql() -> Iterator[Finding]:
    version, *_ = connection.get_database_version()
    if version < _OLDEST_POSTGRESQL:
        yield wrong(
            f"The database is PostgreSQL {version}.", f"Use PostgreSQL {_OLDEST_POSTGRESQL} or newer in DATABASE_URL."
        )
    elif fetch_one("SELECT current_setting('transaction_read_only')") == ("on",):
        yield wrong(
            "The database can only be read.",
            "Have DATABASE_URL name the primary server, not a standby; see that default_transaction_read_only is off.",
        )
    else:
        yield ok(f"The database answers: PostgreSQL {version}.")


def examine_migrations() -> Iterator[Finding]:
    """See that the database has the tables that this code needs."""
    missing, unknown = migrations.find_missing(), migrations.find_unknown()
    if missing:
        yield wrong(
            f"Migrations are not applied: {_listed(missing)}.",
            "Run python manage.py migrate, before web and workers of this version start.",
        )
    if unknown:
        yield mind(
            f"The database has migrations that this code does not know: {_listed(unknown)}.",
            "It was migrated by a newer version. During a deploy that is right; else deploy that version here as well.",
        )
    if not missing and not unknown:
        yield ok("All migrations are applied.")


def examine_clocks() -> Iterator[Finding]:
    """See that this machine's clock shows the same time as the database's."""
    asked_at = now()
    there = selectors.read_clock()
    took = (now() - asked_at).total_seconds()
    skew = (asked_at - there).total_seconds() + took / 2
    if abs(skew) <= _LARGEST_SKEW + took / 2:
        yield ok("This machine's clock and the database's agree.")
        return
    yield wrong(
        f"This machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the database's.",
        "Have both keep the time by NTP. Tokens expire by this clock, and reports are listed in its order.",
    )


def examine_broker() -> Iterator[Finding]:
    """See that the broker answers and keeps what it is given."""
    try:
        queues.require_broker()
    except OperationalError as error:
        yield wrong(
            f"The broker does not answer: {reason(error)}.",
            "See that it runs, and that BROKER_URL names it. What is accepted meanwhile runs when it is back.",
        )
        return
    evicting = _evicting_policy(settings.BROKER_URL)
    if evicting:
        yield mind(
            f"The broker throws messages away when its memory is full (maxmemory-policy {evicting}).",
            "Set its maxmemory-policy to noeviction. What it throws away is published again, later.",
        )
    else:
        yield ok("The broker answers.")


def examine_redis() -> Iterator[Finding]:
    """See that the Redis beside the broker answers."""
    try:
        with _client(settings.REDIS_URL) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        yield wrong(
            f"Redis does not answer: {reason(error)}.", "See that Redis or Valkey runs, and that REDIS_URL names it."
        )
    else:
        yield ok("Redis answers.")


def _client(address: str) -> redis.Redis:
    return redis.Redis.from_url(
        address, socket_connect_timeout=_CONNECT_TIMEOUT, socket_timeout=_REPLY_TIMEOUT, decode_responses=True
    )


def _evicting_policy(address: str) -> str:
    """Return how a Redis server makes room for more, empty where it never does or is none."""
    if urlsplit(address).scheme not in ("redis", "rediss"):
        return ""
    try:
        with _client(address) as client:
            memory = client.info("memory")
    except (redis.RedisError, ValueError):  # who may not ask is not told
        return ""
    policy = str(memory.get("maxmemory_policy", ""))
    return policy if memory.get("maxmemory") and policy != "noeviction" else ""


def _listed(names: list[str], most: int = 5) -> str:
    if len(names) <= most + 1:  # "and 1 more" is no shorter than its name
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"
