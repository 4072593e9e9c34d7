"""The base of every task: it runs for a report of the ledger, and whatever becomes of it is recorded there."""

import logging
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

from billiard.einfo import ExceptionInfo
from celery import Task
from celery.canvas import Signature
from celery.exceptions import Ignore, Reject, Retry
from celery.signals import task_postrun
from django.utils.timezone import is_aware, make_aware
from django.utils.timezone import now as utc_now

from reports import claiming, execution, selectors
from reports.attempts import Claim
from reports.errors import ActionCancelledError, AttemptLostError, TaskMisusedError, TaskNotDispatchableError
from reports.failure import Failure
from services import belonging
from services.dispatch import publish
from services.metrics.counted import count_retry
from tasks import failures
from tasks.canvas import plan_of
from tasks.frames import forget_frames
from tasks.limits import holding_back_limits, past_limits
from tasks.observation import Observation, observe
from tasks.patience import if_possible, patiently
from tasks.progress import Progress
from tasks.worker import claimant_name

logger = logging.getLogger(__name__)
task_postrun.connect(forget_frames, weak=False)

if TYPE_CHECKING:
    _Task = Task[Any, Any]
else:
    _Task = object


class BaseErrorHandlerMixin(_Task):
    """Claims the report that a message names, runs the task for it, and records the outcome.

    A result and the hand-over to what follows are recorded before Celery calls the task a success: Celery only logs
    what goes wrong in ``on_success``. Called as a function, a task just runs.
    """

    abstract = True
    records_outcome = True
    ignore_result = True
    # Messages carry no arguments, so Celery cannot check them; tasks.canvas did when the action was built.
    typing = False
    Request = "tasks.request:LedgerRequest"

    #: Whether a task whose worker died in the middle may run again. Its side effects may then happen twice.
    retry_on_worker_lost = False

    #: Whether a running task may be killed once its action is cancelled.
    terminate_on_cancel = False

    @property
    def throws(self) -> tuple[type[BaseException], ...]:  # type: ignore[override]
        """What Celery logs no traceback for: the error at hand, where it was foreseen. ``on_failure`` tells of it."""
        raised: BaseException | None = getattr(self.request, "raised", None)
        return (type(raised),) if raised is not None and failures.is_foreseen(raised) else ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.request.called_directly or self._current_claim():  # or by itself, while it runs
            return super().__call__(*args, **kwargs)
        claim = self._claim()
        self.request.retries = claim.retries
        try:
            arguments = patiently(lambda: claiming.arguments_of(claim))
            self.request.args, self.request.kwargs = arguments, claim.kwargs
            outcome = self.run(*arguments, **claim.kwargs)
            self._succeed(claim, outcome)
        except Retry as retry:
            self._put_off(claim, retry)
            raise
        except ActionCancelledError as cancelled:
            self._give_up(claim, cancelled)
            raise Ignore(str(cancelled)) from cancelled
        except (Ignore, Reject) as error:
            raise TaskMisusedError(
                f"{self.name} raised {type(error).__name__}: a task returns, retries or raises."
            ) from error
        except Exception as error:
            # Celery hands on_failure a copy that survived pickling, or did not.
            vars(self.request)["raised"] = error
            raise

    def report_progress(self, current: float, total: float | None = None, message: str = "") -> None:
        """Show clients how far this task is. Cheap: at most one write a second, the others are left out.

        Raises:
            AttemptLostError: the attempt was superseded, so that a task that lost its report stops early.

        """
        claim = self._current_claim()
        if claim is not None:
            progress: Progress = vars(self.request)["progress"]
            progress.report(claim, current=current, total=total, message=message)

    def raise_if_cancelled(self) -> None:
        """Stop here once the action was cancelled, failed or ran out of time. Costs one query.

        A database that is away stops nothing.

        Raises:
            ActionCancelledError: to be left alone; it makes this task's report cancelled.
            AttemptLostError: the attempt was superseded.

        """
        claim = self._current_claim()
        if claim is not None:
            if_possible(lambda: execution.check(claim))

    def retry(  # noqa: PLR0913  Celery's own signature
        self,
        args: Any = None,
        kwargs: Any = None,
        exc: Exception | None = None,
        throw: bool = True,  # noqa: FBT001, FBT002
        eta: datetime | None = None,
        countdown: float | None = None,
        max_retries: int | None = None,
        **options: Any,
    ) -> Retry:
        """Have this task run again later, as in Celery; the wait is in the ledger, not in a worker's memory."""
        if self.request.called_directly:
            raise exc or Retry("Task can be retried", None)
        if args is not None or kwargs is not None or options:
            raise TaskMisusedError(
                f"{self.name}: a retry has the arguments and options of its report; they cannot be changed."
            )
        limit = self.max_retries if max_retries is None else max_retries
        if limit is not None and self.request.retries >= limit:
            raise exc or self.MaxRetriesExceededError(f"{self.name} was retried {limit} times.")
        retry = Retry(exc=exc, when=_moment_of(eta, self.default_retry_delay if countdown is None else countdown))
        retry.__cause__ = exc
        if throw:
            raise retry
        return retry

    def apply_async(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: a task runs only as part of an accepted action."""
        raise TaskNotDispatchableError(
            f"{self.name} is not started by .delay() or .apply_async(): request an action whose @chainable returns"
            f" its signature, or return {self.name}.s(...) from the task that needs it."
        )

    def apply(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: Celery's eager runs leave out what the ledger promises."""
        raise TaskNotDispatchableError(
            f"{self.name} is not run by .apply(): call it as a function, or request an action whose @chainable returns"
            " its signature."
        )

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: ExceptionInfo | None) -> None:
        """Record an exception or a soft time limit, in the process that executes the task."""
        del args, kwargs
        claim = self._current_claim()
        if claim is None or isinstance(exc, AttemptLostError):
            logger.warning("%s[%s] changes nothing: %s", self.name, task_id, exc)
            return
        raised = vars(self.request).get("raised", exc)
        failure = failures.describe(raised, task=self.name, traceback=str(einfo.traceback) if einfo else "")
        try:
            with past_limits():
                patiently(lambda: execution.fail(claim.id, claim.attempt, failure))
            self._observed(failure)
        except AttemptLostError as lost:
            logger.warning("%s[%s] failed too late: %s", self.name, task_id, lost)
            return
        if isinstance(raised, self.throws):
            logger.warning("%s[%s] failed with %s: %s", self.name, task_id, failure.code, failure.message)

    def _claim(self) -> Claim:
        report = _uuid(self.request.id)
        claimant, tries = claimant_name(), count()
        with holding_back_limits():  # or nobody would know of the claim
            claim = report and patiently(
                lambda: claiming.claim(report, task=self.name, worker=claimant, again=next(tries) > 0)
            )
            if not isinstance(claim, Claim):
                self._log_refusal(report)
                raise Ignore(f"No report {self.request.id} waits for {self.name}.")
            vars(self.request).update(claim=claim, progress=Progress())
            vars(self.request)["observation"] = observe(claim)
            # Not at INFO: a line costs 0.12 ms, and this one is every task's.
            logger.debug("%s[%s] begins, after %.1f s.", self.name, report, claim.waited)
            return claim

    def _log_refusal(self, report: UUID | None) -> None:
        standing = report and patiently(lambda: selectors.find_standing(report))
        if not (report and standing):
            logger.warning(
                "%s[%s] is not run: there is no such report. Tasks are run by requesting an action.",
                self.name,
                self.request.id,
            )
            return
        with belonging.naming(report, standing, task=self.name):
            logger.info("%s[%s] is %s and not due: this message was a duplicate.", self.name, report, standing.status)

    def _current_claim(self) -> Claim | None:
        return getattr(self.request, "claim", None)

    def _succeed(self, claim: Claim, outcome: Any) -> None:
        plan = plan_of(outcome) if _holds_signatures(outcome) else None
        record = (lambda: execution.expand(claim, plan)) if plan else (lambda: execution.succeed(claim, outcome))
        with past_limits():
            publish(patiently(record))

    def _give_up(self, claim: Claim, cancelled: ActionCancelledError) -> None:
        failure = failures.describe(cancelled, task=self.name)
        with past_limits():
            patiently(lambda: execution.put_off(claim.id, claim.attempt, failure, delay=0))

    def _put_off(self, claim: Claim, retry: Retry) -> None:
        # Somebody may have raised Celery's Retry by hand, with seconds or nothing.
        when = retry.when if isinstance(retry.when, datetime) else _moment_of(None, float(retry.when or 0))
        delay = max(0.0, (when - utc_now()).total_seconds())
        failure = failures.describe_retried(retry, task=self.name)
        with past_limits():
            patiently(lambda: execution.put_off(claim.id, claim.attempt, failure, delay=delay))
        logger.info("%s[%s] failed with %s, and is tried again in %.0f s.", self.name, claim.id, failure.code, delay)
        self._observed(failure)
        count_retry(claim.action)

    def _observed(self, failure: Failure) -> None:
        observation: Observation | None = vars(self.request)["observation"]
        if observation is not None:
            observation.failed(failure.code)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text)
    except (ValueError, TypeError):
        return None


def _holds_signatures(outcome: Any) -> bool:
    if isinstance(outcome, Signature):
        return True
    return isinstance(outcome, tuple | list) and bool(outcome) and isinstance(outcome[0], Signature)


def _moment_of(eta: datetime | None, countdown: float) -> datetime:
    if eta is None:
        return utc_now() + timedelta(seconds=countdown)
    return eta if is_aware(eta) else make_aware(eta)


class BaseTask(BaseErrorHandlerMixin, Task):  # type: ignore[type-arg]  # at run time it takes none
    """What ``@shared_task`` builds on when it is not told otherwise."""

    abstract = True
