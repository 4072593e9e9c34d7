from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from django.conf import settings

TASK_FAILED = "task_failed"
TIMED_OUT = "timed_out"
EXPIRED = "expired"
CANCELLED = "cancelled"
WORKER_LOST = "worker_lost"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed, in the size and the characters that the ledger keeps."""

    code: str
    type: str
    message: str
    task: str
    traceback: str

    @classmethod
    def of(cls, error: BaseException, *, task: str, traceback: str = "", code: str | None = None) -> Self:
        """Describe ``error``: its own ``code`` where it has one, and a message that is never empty."""
        return cls(
            code=_clean(code or _code(error), 100),
            type=_clean(type(error).__qualname__, 255),
            message=_clean(_message(error), settings.REPORT_MAX_MESSAGE_CHARACTERS),
            task=task,
            traceback=_clean_end(traceback, settings.REPORT_MAX_TRACEBACK_CHARACTERS),
        )

    @classmethod
    def timed_out(cls, error: BaseException, *, task: str, traceback: str) -> Self:
        """Describe that ``task`` ran into its soft or hard time limit, given in seconds by the error's argument."""
        limit = f" of {error.args[0]} s" if error.args and isinstance(error.args[0], int | float) else ""
        described = cls.of(error, task=task, traceback=traceback, code=TIMED_OUT)
        return replace(described, message=f"{task} ran longer than its time limit{limit}.")

    @classmethod
    def worker_lost(cls, *, task: str) -> Self:
        """Describe the loss of the worker that executed ``task``. Which one is not the clients' business."""
        message = f"The worker was lost while it ran {task}; whether its work was done is not known."
        return cls(WORKER_LOST, "WorkerLostError", message, task, "")

    @classmethod
    def terminated(cls, *, task: str) -> Self:
        """Describe that ``task`` was killed because its action was final."""
        return cls(CANCELLED, "ActionCancelledError", f"{task} was stopped: its action had ended.", task, "")

    def columns(self) -> tuple[str, str, str, str]:
        """Return code, type, message and task, in the order of the report's columns."""
        return self.code, self.type, self.message, self.task

    def as_attempt(self, attempt: int, *, started_at: str | None, failed_at: str | None) -> dict[str, Any]:
        """Return the entry for the report's list of errors."""
        return {"attempt": attempt, "started_at": started_at, "failed_at": failed_at, **asdict(self)}


def _code(error: BaseException) -> str:
    try:
        code = getattr(error, "code", None)
    except Exception:  # noqa: BLE001  a broken property must not hide that the task failed
        code = None
    return (isinstance(code, str) and _keepable(code)) or TASK_FAILED


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  nor must a broken __str__
        text = ""
    return _keepable(text).strip() or f"{type(error).__qualname__} without a message"


def _clean(text: str, limit: int) -> str:
    text = _keepable(text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _clean_end(text: str, limit: int) -> str:
    text = _keepable(text)
    return text if len(text) <= limit else "…" + text[1 - limit :]


def _keepable(text: str) -> str:
    """Drop what PostgreSQL's text cannot hold."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
