import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings

from stack.ports import LOCALHOST, Port
from stack.sandbox import API_KEY
from stack.valkey import Valkey
from tests.counted import COUNTED
from tests.integration.observation.collector import Collector
from tests.live import LiveStack

_NAME = "observed"
TOKEN = "of-the-tests-and-long-enough"


@pytest.fixture(scope="package")
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture(scope="package")
def worker_address() -> Port:
    return Port.any()


@pytest.fixture
def worker_port(worker_address: Port) -> int:
    return worker_address.number


@pytest.fixture(scope="package")
def _end_of_package(live_stacks: dict[str, LiveStack]) -> Iterator[None]:
    yield
    if _NAME in live_stacks:
        live_stacks.pop(_NAME).stop()


@pytest.fixture
def stack(
    valkey: Valkey,
    transactional_db: None,
    live_stacks: dict[str, LiveStack],
    collector: Collector,
    worker_address: Port,
    _end_of_package: None,
) -> LiveStack:
    """The service in real processes, two of the web server and two of the worker's pool, seen by all means."""
    for name, other in live_stacks.items():
        if name != _NAME:
            other.stop()
    if _NAME not in live_stacks:
        environment = {
            **COUNTED,
            "ACTION_MODULES": "api.invoices,tests.integration.observation.actions",
            "METRICS_TOKEN": TOKEN,
            "METRICS_WORKER_ADDRESS": f"{LOCALHOST}:{worker_address.number}",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",  # milliseconds
            "LOG_FORMAT": "json",
        }
        logs = Path(settings.TEST_FOLDER) / "logs" / _NAME
        live_stacks[_NAME] = LiveStack(valkey, os.environ["DATABASE_URL"], logs, environment, web_processes=2)
    live = live_stacks[_NAME]
    live.start()
    return live


@pytest.fixture
def client(stack: LiveStack) -> Iterator[httpx.Client]:
    with stack.client() as client:
        yield client


@pytest.fixture
def faults(stack: LiveStack) -> Iterator[Callable[..., None]]:
    """Return a function that switches these faults of InvoicesPlus on, in place of all others."""
    with httpx.Client(
        base_url=stack.sandbox.url, headers={"Authorization": f"Bearer {API_KEY}"}, trust_env=False
    ) as sandbox:

        def switch_on(*faults: dict[str, Any]) -> None:
            sandbox.put("/faults", json={"faults": faults}).raise_for_status()

        yield switch_on
        switch_on()
