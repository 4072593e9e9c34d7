import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import orjson
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test import TransactionTestCase
from pytest_django.plugin import DjangoDbBlocker

from config.logs import LogFormatter
from services import announcements
from stack.postgres import Postgres
from stack.rabbitmq import RabbitMQ
from stack.valkey import Valkey
from tests.cleaning import cleaner
from tests.counted import COUNTED, count_only_who_is_told
from tests.live import LiveStack
from tests.settings import remove_test_folder

# How long an example takes says nothing on a machine where live processes work beside it.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")


def pytest_collection() -> None:
    # The workers of pytest-xdist run already, and are counted.
    count_only_who_is_told()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests that use the live stack last: it is ended before a test that does not want it beside itself.

    On PostgreSQL, leave out what has run on SQLite already and does not depend on the database.
    """
    items.sort(key=_uses_stack)
    if settings.TEST_DATABASE == "postgres":
        again = [item for item in items if item.get_closest_marker("once") or not _uses_database(item)]
        config.hook.pytest_deselected(items=again)
        items[:] = [item for item in items if item not in set(again)]


def pytest_unconfigure() -> None:
    remove_test_folder()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL, started when the first test asks for it; the ledger's database too, where tests run on it."""
    folder = settings.TEST_FOLDER
    with Postgres(folder / "postgres", log=folder / "postgres.log", port=settings.POSTGRES_PORT.number) as server:
        yield server


@pytest.fixture(scope="session")
def session_valkey() -> Iterator[Valkey]:
    folder = settings.TEST_FOLDER
    with Valkey(folder / "valkey", log=folder / "valkey.log", port=settings.VALKEY_PORT.number) as server:
        yield server


@pytest.fixture
def valkey(session_valkey: Valkey) -> Valkey:
    """The broker of this test process, running, whatever the test before did to it. It keeps its data between tests."""
    if not session_valkey.is_running:
        session_valkey.start()
    session_valkey.resume()
    return session_valkey


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """Return a function that returns the lines of the log, as machines read them."""
    monkeypatch.setattr(caplog.handler, "formatter", LogFormatter("json"))
    return lambda: [orjson.loads(line) for line in caplog.text.splitlines()]


@pytest.fixture(autouse=True)
def _announcements(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing announced in a test that has no Redis, and forget that it was away in another one."""
    until = 0.0 if "valkey" in request.fixturenames else math.inf
    monkeypatch.setattr(announcements, "_away_until", until)


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ]:
    """A RabbitMQ, where the system has one: CI has to, a laptop need not."""
    if not RabbitMQ.is_installed():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("RabbitMQ is not installed (rabbitmq-server)")
    folder = settings.TEST_FOLDER
    with RabbitMQ(folder / "rabbitmq", log=folder / "rabbitmq.log") as server:
        yield server


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Make the database that this test process and the processes it starts use: no second, ``test_`` one.

    A test that has live processes write to the database, or read what it wrote, uses ``transactional_db`` (the fixture
    ``stack`` does): what it writes is committed, and everything is deleted when it ends.
    """
    if settings.TEST_DATABASE == "postgres":
        request.getfixturevalue("postgres").create_database("async_actions")
    with django_db_blocker.unblock():
        call_command("migrate", verbosity=0)
        clean = cleaner()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TransactionTestCase, "_fixture_teardown", clean)
        yield
    with django_db_blocker.unblock():
        connections.close_all()


@pytest.fixture(scope="session")
def live_stacks() -> Iterator[dict[str, LiveStack]]:
    """The live stack of the session, once a test has asked for it."""
    stacks: dict[str, LiveStack] = {}
    yield stacks
    for stack in stacks.values():
        stack.stop()


@pytest.fixture(autouse=True)
def _alone_with_the_database(request: pytest.FixtureRequest, live_stacks: dict[str, LiveStack]) -> None:
    """End the live stack before a test that did not ask for it: its worker would take up the test's reports."""
    if not _uses_stack(request.node):
        for stack in live_stacks.values():
            stack.stop()


@pytest.fixture
def stack(valkey: Valkey, transactional_db: None, live_stacks: dict[str, LiveStack]) -> Iterator[LiveStack]:
    """The whole service in real processes: ``.url``, ``.client()``, ``.token()``, ``.web``, ``.worker``, ``.sandbox``.

    The test reads and writes the same database through the ORM; all it commits is deleted after it. A test may kill,
    pause and restart any of the services: whatever is not running is started again for the next test.
    """
    if "stack" not in live_stacks:
        logs = Path(settings.TEST_FOLDER) / "logs"
        live_stacks["stack"] = LiveStack(valkey, os.environ["DATABASE_URL"], logs, COUNTED)
    live = live_stacks["stack"]
    live.start()
    yield live
    live.dismiss_more_workers()


def _uses_database(item: pytest.Item) -> bool:
    # Who has none of these is kept from the database by pytest-django.
    fixtures = {"db", "transactional_db", "django_db_setup"}
    return bool(item.get_closest_marker("django_db") or fixtures.intersection(getattr(item, "fixturenames", ())))


def _uses_stack(item: pytest.Item) -> bool:
    return "stack" in getattr(item, "fixturenames", ())
