"""What others see of an attempt while it lasts: its span, its numbers, and its ids on every line of the log."""

import logging
from contextlib import ExitStack
from time import perf_counter
from typing import Any

from celery.signals import task_postrun
from structlog.contextvars import bound_contextvars

from reports.attempts import Claim
from services import tracing
from services.metrics.counted import count_attempt, count_start

logger = logging.getLogger(__name__)


def observe(claim: Claim) -> "Observation | None":
    """Have others see an attempt from now on. Nothing that goes wrong with that touches the attempt."""
    try:
        return Observation(claim)
    except Exception:
        logger.exception("%s[%s] is not seen by others.", claim.task, claim.id)
        return None


class Observation:
    """An attempt under way in this thread, from its claim until Celery is done with it."""

    def __init__(self, claim: Claim) -> None:
        self._action = claim.action
        self._began = perf_counter()
        self._lasting = ExitStack()
        attributes: dict[str, str | int] = {
            "async_actions.report": str(claim.root),
            "async_actions.action": claim.action,
            "async_actions.task.id": str(claim.id),
            "async_actions.attempt": claim.attempt,
        }
        self._lasting.enter_context(tracing.executing(claim.task, claim.trace, attributes))
        self._lasting.enter_context(bound_contextvars(**_context_of(claim)))
        count_start(claim.action, waited=claim.waited)

    def failed(self, code: str) -> None:
        """Have it seen that the attempt has failed, with this code."""
        tracing.note({"async_actions.error": code}, failure=code)

    def close(self) -> None:
        """Be no more seen. What is logged after this belongs to nothing."""
        count_attempt(self._action, seconds=perf_counter() - self._began)
        self._lasting.close()


def _context_of(claim: Claim) -> dict[str, Any]:
    context = {
        "report": str(claim.root),
        "action": claim.action,
        "task": claim.task,
        "task_id": str(claim.id),
        "attempt": claim.attempt,
        "client": claim.requested_by,
        "trace_id": tracing.trace_id(),
    }
    return {name: value for name, value in context.items() if value is not None}


@task_postrun.connect(weak=False)
def _close(task: Any = None, **_: Any) -> None:
    """End what is seen of an attempt, whatever became of it: Celery sends this after it has logged that."""
    observation = getattr(task.request, "observation", None) if task else None
    if observation is not None:
        observation.close()
