"""schemathesis finds no answer of the live service that openapi.yaml does not allow.

FUZZ_EXAMPLES (4) is how many cases it makes up for each operation and phase; FUZZ_SEEDS (1) has the seeds.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from stack.web import Web
from tests.node import run

CONFIG = Path(__file__).parent / "schemathesis.toml"
SEEDS = os.environ.get("FUZZ_SEEDS", "1").split(",")
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "4")

pytestmark = [pytest.mark.once, pytest.mark.timeout(300 * int(EXAMPLES))]


@pytest.fixture
def unlimited(stack: Any, tmp_path: Path) -> Iterator[Web]:
    """Return a web server of the stack that counts nobody's requests, for 429 would hide other answers.

    It ends streams of events soon: schemathesis reads each to its end. The sandbox forgets what was invoiced here
    before another test reads invoices.
    """
    quotas = ("THROTTLE_SUBMIT", "THROTTLE_READ", "THROTTLE_FAILED_AUTHENTICATIONS")
    environment = {**stack.environment, **dict.fromkeys(quotas, "none"), "EVENTS_MAX_SECONDS": "1"}
    with Web(environment, log=tmp_path / "web.log") as web:
        yield web
    stack.sandbox.stop()


@pytest.mark.parametrize("seed", SEEDS)
def test_no_answer_is_against_the_document(unlimited: Web, stack: Any, seed: str, tmp_path: Path) -> None:
    run(
        *(Path(sys.executable).parent / "schemathesis", "--config-file", CONFIG, "run"),
        *(settings.BASE_DIR / "openapi.yaml", "--url", unlimited.url),
        *("--header", f"Authorization: Bearer {stack.token()}"),
        *("--seed", seed, "--max-examples", EXAMPLES, "--no-color"),
        cwd=tmp_path,
        NO_PROXY="*",
        PYTHONPATH=str(settings.BASE_DIR),
    )
