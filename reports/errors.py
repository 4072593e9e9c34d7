from typing import Any, ClassVar


class AsyncActionsError(Exception):
    """Root of every error this service raises on purpose.

    AsyncActionsError
    ├─ DocumentInvalidError       a value is not JSON, or JSON that no database can keep
    │  └─ DocumentTooLargeError   it is larger than its limit
    ├─ PlanInvalidError           what a @chainable built cannot be run
    │  └─ PlanTooLargeError       it has more tasks than one report may have
    ├─ ActionCancelledError       the action of a running task is final; its result is not wanted any more
    ├─ AttemptLostError           this attempt may not write any more: another, or a final state, has taken over
    ├─ ReportFinalError           what is asked for needs a report that is not final yet
    ├─ IdempotencyKeyReusedError  the key of a request is that of another one
    ├─ RequestsRefusedError       of several requests that were to be accepted together, some are refused
    ├─ ReportNotRetryableError    only what failed or was cancelled can be resumed
    ├─ RoomLackingError           so much waits for workers that operators' retries have to
    ├─ SelectionInvalidError      an operation on many reports could change none of those that it is for
    ├─ TaskMisusedError           a task ended or was retried in a way that its report cannot keep
    ├─ TaskNotDispatchableError   a task was started around its action
    └─ TooManyWaitersError        no more requests of this process may wait for a report
    """

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool | None] = False


class DocumentInvalidError(AsyncActionsError):
    """A value is not JSON, or holds what no database can keep: NaN, infinities, the character U+0000."""

    code = "document_invalid"


class DocumentTooLargeError(DocumentInvalidError):
    """A document is larger than the setting for its kind allows."""

    code = "document_too_large"


class PlanInvalidError(AsyncActionsError):
    """What a ``@chainable`` built cannot be run; the message names the offender."""

    code = "plan_invalid"


class PlanTooLargeError(PlanInvalidError):
    """The plan, or what it grew to, has more tasks than ``REPORT_MAX_TASKS``."""

    code = "plan_too_large"


class ActionCancelledError(AsyncActionsError):
    """The action of a running task is final; its result is not wanted any more."""

    code = "cancelled"
    retryable = True


class AttemptLostError(AsyncActionsError):
    """The attempt was superseded or its report is final: whatever it writes is too late and changes nothing."""

    code = "attempt_lost"


class TaskNotDispatchableError(AsyncActionsError):
    """A task was started around its action; tasks run only as part of an accepted report."""

    code = "task_not_dispatchable"


class TaskMisusedError(AsyncActionsError, TypeError):
    """A task raised Ignore or Reject, or was retried with other arguments, which its report cannot keep."""

    code = "task_misused"


class ReportFinalError(AsyncActionsError):
    """What is asked for needs a report that is not final yet."""

    code = "report_final"


class ReportNotRetryableError(AsyncActionsError):
    """Only an action that failed or was cancelled can be resumed."""

    code = "report_not_retryable"


class RoomLackingError(AsyncActionsError):
    """So many tasks wait for workers that what operators retry has to wait, or clients would be refused."""

    code = "room_lacking"
    retryable = True

    def __init__(self, message: str, *, done: int) -> None:
        super().__init__(message)
        self.done = done


class SelectionInvalidError(AsyncActionsError):
    """An operation on many reports could change none of those that it is for, whichever there are."""

    code = "selection_invalid"


class IdempotencyKeyReusedError(AsyncActionsError):
    """The client has asked for something else with this key."""

    code = "idempotency_key_reused"


class RequestsRefusedError(AsyncActionsError):
    """Of several requests that were to be accepted together some are refused: ``outcomes`` tells which."""

    def __init__(self, outcomes: list[Any]) -> None:
        super().__init__("Some of the requests are refused, and so all are.")
        self.outcomes = outcomes


class TooManyWaitersError(AsyncActionsError):
    """As many requests of this process wait for a report as ``REQUEST_MAX_WAITERS`` allows."""

    code = "too_many_waiters"
