"""What has to be there before the service's processes start: servers that answer, tables, a client."""

import os
from collections.abc import Mapping
from io import StringIO

import django
import redis
from django.core.management import call_command
from django.db import OperationalError, connection

from config import celery_app
from config.start import refusing_wrong_configuration
from stack.configuration import RunRefusedError, without_password


def prepare(environment: Mapping[str, str]) -> None:
    """Make this process one of the service's, and bring the database up to date.

    Raises:
        RunRefusedError: the database does not answer.

    """
    os.environ.update(environment)
    with refusing_wrong_configuration():
        django.setup()
    try:
        call_command("migrate", verbosity=0)
    except OperationalError as error:
        raise _unreachable("DATABASE_URL", environment, error) from error
    connection.close()


def require_broker(environment: Mapping[str, str]) -> None:
    """See that the broker answers. Raises RunRefusedError."""
    with celery_app.connection_for_write() as broker:
        try:
            broker.connect()
        except broker.connection_errors as error:
            raise _unreachable("BROKER_URL", environment, error) from error


def require_redis(environment: Mapping[str, str]) -> None:
    """See that the Redis beside the broker answers. Raises RunRefusedError."""
    try:
        with redis.Redis.from_url(environment["REDIS_URL"], socket_connect_timeout=2, socket_timeout=5) as client:
            client.ping()
    except redis.RedisError as error:
        raise _unreachable("REDIS_URL", environment, error) from error


def new_token(client: str) -> str:
    """Return a new token of the client, who is made if need be."""
    output = StringIO()
    call_command("create_token", client, stdout=output, stderr=StringIO())
    connection.close()
    return output.getvalue().strip()


def _unreachable(variable: str, environment: Mapping[str, str], error: BaseException) -> RunRefusedError:
    reason = " ".join(str(error).split())
    return RunRefusedError(f"{variable}={without_password(environment[variable])} cannot be used: {reason}")
