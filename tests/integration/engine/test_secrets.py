"""What an error tells of secrets is neither kept nor logged, and what nobody foresaw is told to operators alone."""

import json

import pytest

from reports.failure import UNEXPECTED
from reports.models import AsyncActionReport
from tests.actions import outcomes
from tests.integration.engine.engine import Engine

PARTS = ("hunter2", "0123456789abcdef")


@pytest.mark.parametrize("what", ["secret", "secret with code"])
def test_no_secret_is_kept_or_logged(engine: Engine, what: str) -> None:
    before = len(engine.worker.log_text())
    root = engine.run(outcomes.raise_error.s(what))

    assert root.error is not None
    engine.wait_until(lambda: f"[{engine.tasks(root.id)[0].id}] raised" in engine.worker.log_text()[before:])
    kept = json.dumps(list(AsyncActionReport.objects.filter(root=root.id).values()), default=str)
    logged = engine.worker.log_text()[before:]
    for part in PARTS:
        assert part not in kept
        assert part not in logged
    assert "[redacted]" in logged
    assert "[redacted]" in root.traceback


def test_a_message_that_was_written_for_nobody_is_in_the_traceback(engine: Engine) -> None:
    root = engine.run(outcomes.raise_error.s("secret"))

    assert root.error is not None
    assert root.error.message == UNEXPECTED
    assert root.traceback.rstrip().endswith("ValueError: password=[redacted] token [redacted]")


def test_a_message_with_a_code_is_told_without_its_secrets(engine: Engine) -> None:
    root = engine.run(outcomes.raise_error.s("secret with code"))

    assert root.error is not None
    assert root.error.message == (
        "Order 7 was refused: POST https://[redacted]@127.0.0.1/orders with Authorization: [redacted]"
    )
