"""What the codes mean that reports fail with. These are the engine's own; actions declare theirs."""

from dataclasses import dataclass

from reports.errors import (
    ActionCancelledError,
    AsyncActionsError,
    DocumentInvalidError,
    DocumentTooLargeError,
    PlanInvalidError,
    PlanTooLargeError,
    TaskMisusedError,
    TaskNotDispatchableError,
)

TASK_FAILED = "task_failed"
TIMED_OUT = "timed_out"
EXPIRED = "expired"
CANCELLED = ActionCancelledError.code
WORKER_LOST = "worker_lost"
RETRIES_EXHAUSTED = "retries_exhausted"
UNKNOWN_TASK = "unknown_task"


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A code that reports fail with.

    ``retryable`` is True where the same action may succeed when it is retried, False where it fails again until
    something else is changed, None where nobody knows.
    """

    code: str
    retryable: bool | None
    description: str


def _own(error: type[AsyncActionsError]) -> ErrorCode:
    return ErrorCode(error.code, error.retryable, " ".join((error.__doc__ or "").replace("``", "").split()))


ENGINE_CODES: dict[str, ErrorCode] = {
    known.code: known
    for known in (
        ErrorCode(TASK_FAILED, None, "A task failed with an error that has no code of its own."),
        ErrorCode(TIMED_OUT, None, "A task ran longer than its time limit, or the action longer than its time budget."),
        ErrorCode(EXPIRED, True, "The action had not started by its deadline. A retry has no deadline any more."),
        ErrorCode(
            WORKER_LOST, None, "The worker was lost while it ran a task; nobody knows whether its work was done."
        ),
        ErrorCode(RETRIES_EXHAUSTED, None, "A task that waits for something was tried as often as it may be."),
        ErrorCode(
            UNKNOWN_TASK,
            None,
            "No worker had the code of a task for so long that none was expected to get it any more.",
        ),
        *map(
            _own,
            (
                ActionCancelledError,
                DocumentInvalidError,
                DocumentTooLargeError,
                PlanInvalidError,
                PlanTooLargeError,
                TaskMisusedError,
                TaskNotDispatchableError,
            ),
        ),
    )
}


def retryable_by_code(code: str) -> bool | None:
    """Tell whether a retry makes sense after a failure of the engine's own; ``None`` for every other code."""
    known = ENGINE_CODES.get(code)
    return known.retryable if known else None
