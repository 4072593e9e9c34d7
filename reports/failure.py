from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from django.conf import settings

from reports.codes import CANCELLED, TASK_FAILED, TIMED_OUT, UNKNOWN_TASK, WORKER_LOST, retryable_by_code
from reports.redaction import redact

#: What clients read in place of a message that was written for nobody: it may hold statements, hosts, personal data.
UNEXPECTED = "The task failed with an unexpected error. The operator can see which."

# Characters of text that are looked at for each character that may be kept.
_MARGIN = 10


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed, in the size and the characters that the ledger keeps, and without secrets.

    Clients see all but the traceback. That one has the message as it was raised.
    """

    code: str
    type: str
    message: str
    task: str
    traceback: str
    retryable: bool | None = None

    @classmethod
    def of(cls, error: BaseException, *, task: str, traceback: str = "", code: str | None = None) -> Self:
        """Describe ``error``. With a ``code`` of its own it was foreseen: its message, never empty, is for clients."""
        code = code or code_of(error)
        return cls(
            code=_clean(code or TASK_FAILED, 100),
            type=_clean(type(error).__qualname__, 255),
            message=_clean(_message(error), settings.REPORT_MAX_MESSAGE_CHARACTERS) if code else UNEXPECTED,
            task=task,
            traceback=_clean_end(traceback, settings.REPORT_MAX_TRACEBACK_CHARACTERS),
            retryable=_retryable(error, code or TASK_FAILED),
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
        return cls(WORKER_LOST, "WorkerLostError", message, task, "", retryable_by_code(WORKER_LOST))

    @classmethod
    def unknown_task(cls, *, task: str) -> Self:
        """Describe that a worker was given ``task`` and has no code for it."""
        message = f"No code for {task} was found where it was to run: it is not deployed there, or not any more."
        return cls(UNKNOWN_TASK, "UnknownTaskError", message, task, "", retryable_by_code(UNKNOWN_TASK))

    @classmethod
    def terminated(cls, *, task: str) -> Self:
        """Describe that ``task`` was killed because its action was final."""
        message = f"{task} was stopped: its action had ended."
        return cls(CANCELLED, "ActionCancelledError", message, task, "", retryable_by_code(CANCELLED))

    def columns(self) -> tuple[str, str, str, str, bool | None]:
        """Return code, type, message, task and whether it is retryable, in the order of the report's columns."""
        return self.code, self.type, self.message, self.task, self.retryable

    def as_attempt(self, attempt: int, *, started_at: str | None, failed_at: str | None) -> dict[str, Any]:
        """Return the entry for the report's list of errors."""
        return {"attempt": attempt, "started_at": started_at, "failed_at": failed_at, **asdict(self)}


def code_of(error: BaseException) -> str:
    """Return the code that an error was given by whoever wrote it, empty where it has none."""
    code = _attribute(error, "code")
    return _keepable(code) if isinstance(code, str) else ""


def _retryable(error: BaseException, code: str) -> bool | None:
    said = _attribute(error, "retryable")
    return said if isinstance(said, bool) else retryable_by_code(code)


def _attribute(error: BaseException, name: str) -> Any:
    try:
        return getattr(error, name, None)
    except Exception:  # noqa: BLE001  a broken property must not hide that the task failed
        return None


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  nor must a broken __str__
        text = ""
    return _keepable(text).strip() or f"{type(error).__qualname__} without a message"


def _clean(text: str, limit: int) -> str:
    # Secrets first: one that is cut in two is not recognised any more.
    text = redact(_keepable(text[: _MARGIN * limit]))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _clean_end(text: str, limit: int) -> str:
    text = redact(_keepable(text[-_MARGIN * limit :]))
    return text if len(text) <= limit else "…" + text[1 - limit :]


def _keepable(text: str) -> str:
    """Drop what PostgreSQL's text cannot hold."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
