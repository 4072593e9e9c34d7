import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from stack.postgres import Postgres
from stack.rabbitmq import RabbitMQ
from stack.valkey import Valkey
from tests.guarantees.ground import ProvingGround
from tests.live import LiveStack

_ON_VALKEY, _ON_RABBITMQ = _NAMES = "guarantees", "guarantees on RabbitMQ"
ENVIRONMENT = {
    "ACTION_MODULES": "chaos.api,tests.actions.clocks",
    "RECOVERY_LEASE": "3",
    "RECOVERY_HEARTBEAT_INTERVAL": "0.5",
    "RECOVERY_REPUBLISH_AFTER": "2",
    "RECOVERY_MAX_LOSSES": "1",
    "OUTCOME_PATIENCE": "60",
    "PYTHONFAULTHANDLER": "1",
}


@pytest.fixture(scope="package")
def _end_of_package(live_stacks: dict[str, LiveStack]) -> Iterator[None]:
    """End the services with these settings before the tests of another package: they would take up their reports."""
    yield
    for name in live_stacks.keys() & set(_NAMES):
        live_stacks.pop(name).stop()


@pytest.fixture
def rabbit() -> RabbitMQ | None:
    """The RabbitMQ that is the broker, in a module that has one."""
    return None


@pytest.fixture
def stack(
    valkey: Valkey,
    rabbit: RabbitMQ | None,
    transactional_db: None,
    live_stacks: dict[str, LiveStack],
    _end_of_package: None,
) -> Iterator[LiveStack]:
    """The service with actions that testify and short leases; whatever a test did to it, it runs again for the next."""
    own = _ON_RABBITMQ if rabbit else _ON_VALKEY
    for name, other in live_stacks.items():
        if name != own:
            other.stop()
    if own not in live_stacks:
        logs = Path(settings.TEST_FOLDER) / "logs" / own
        live_stacks[own] = LiveStack(valkey, os.environ["DATABASE_URL"], logs, ENVIRONMENT, rabbitmq=rabbit)
    live = live_stacks[own]
    live.start()
    yield live
    live.start()  # what is paused may hold locks that the deletion of this test's reports would wait for
    live.dismiss_more_workers()


@pytest.fixture
def ground(stack: LiveStack) -> Iterator[ProvingGround]:
    """The service, with what a test does to it and sees of it."""
    ground = ProvingGround(stack)
    ground.wipe_broker()
    yield ground
    ground.close()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """The PostgreSQL server of the tests, there again after a test that ended it."""
    if settings.TEST_DATABASE != "postgres":
        pytest.skip("SQLite has no server that could be away.")
    server = request.getfixturevalue("postgres")
    yield server
    if not server.is_running:
        server.start()
    connection.close()
