import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from stack.valkey import Valkey
from stack.worker import Worker
from tests.integration.engine.engine import ENVIRONMENT, Engine


@pytest.fixture(scope="package")
def package_worker(session_valkey: Valkey, django_db_setup: None) -> Iterator[Worker]:
    """The worker of the tests in this folder; it ends before any other test, which it could disturb."""
    worker = Worker({**os.environ, **ENVIRONMENT}, log=Path(settings.TEST_FOLDER) / "logs" / "engine.log")
    yield worker
    worker.kill()


@pytest.fixture
def engine(
    request: pytest.FixtureRequest, package_worker: Worker, valkey: Valkey, transactional_db: None
) -> Iterator[Engine]:
    """A worker that knows the tasks of tests.actions, running, whatever the test before did to it.

    It takes seconds to start: a test that would end it first of all is marked ``idle``, and has none that runs.
    """
    engine = Engine(package_worker, valkey)
    idle = request.node.get_closest_marker("idle")
    if idle:
        engine.worker.kill()
    engine.clear_messages()
    if not idle:
        engine.start()
    yield engine
    engine.dismiss_more_workers()
