import logging
import signal
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from celery.exceptions import TimeLimitExceeded
from celery.worker import state
from celery.worker.request import Request
from django.db import DatabaseError, InterfaceError, connection

from reports import waiting
from reports.database import limit_lock_waits
from reports.failure import Failure
from services import recovery
from tasks import failures
from tasks.worker import child_name

logger = logging.getLogger(__name__)

_LOCK_WAIT = 1.0  # seconds; the event loop, which takes messages, waits with it

# Celery lets go of a request when its child has recorded the outcome, by a method that cannot be overridden: for each
# task it derives a class of its own from this one.
_executing: "WeakValueDictionary[int, LedgerRequest]" = WeakValueDictionary()


def executing() -> "list[LedgerRequest]":
    """Return what this worker's pool executes, from any thread.

    Celery's own registry has one entry for an id: a duplicate message that is refused takes it from the task that runs.
    """
    return [request for reference in _executing.valuerefs() if (request := reference()) is not None]


class LedgerRequest(Request):
    """A message in the worker's main process. Records what a pool child could not record: that it is gone.

    Where even that fails, the report's heartbeat stops, and recovery rescues it after a lease.
    """

    terminated = False

    def on_accepted(self, pid: Any, time_accepted: float) -> None:
        """Begin to have heartbeats."""
        _executing[id(self)] = self
        super().on_accepted(pid, time_accepted)

    def terminate_child(self, pool: Any) -> None:
        """Kill the pool child that runs this, because its action is not wanted any more."""
        self.terminated = True
        pool.terminate_job(self.worker_pid, signal.SIGKILL)

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:  # noqa: FBT001, FBT002
        """Leave what a child reported to Celery; anything else means that there is no child any more."""
        _executing.pop(id(self), None)
        raised = getattr(exc_info.exception, "exc", exc_info.exception)
        if return_ok and not isinstance(raised, MemoryError):  # which Celery would end the whole worker for
            super().on_failure(exc_info, send_failed_event=send_failed_event, return_ok=True)
            return
        state.task_ready(self)
        if return_ok:
            return
        if not isinstance(raised, TimeLimitExceeded):  # on_timeout comes next
            self._record_loss(Failure.terminated(task=self.name) if self.terminated else None)

    def on_timeout(self, soft: bool, timeout: float) -> None:  # noqa: FBT001
        """Record a hard time limit, which Celery enforces by killing the child. A soft one is raised in the task."""
        if soft:
            super().on_timeout(soft, timeout)
            return
        _executing.pop(id(self), None)
        state.task_ready(self)
        self._record_loss(failures.describe(TimeLimitExceeded(timeout), task=self.name))

    def _record_loss(self, failure: Failure | None) -> None:
        for last in (False, True):
            try:
                limit_lock_waits(_LOCK_WAIT)
                lost = waiting.find_lost(UUID(self.id), worker=child_name(self.worker_pid)) if self.worker_pid else None
                if lost:
                    recovery.rescue(lost, failure)
            except (DatabaseError, InterfaceError) as error:
                connection.close()  # a new one may do
                if last:
                    logger.warning("%s[%s] is lost; recovery will find it: %s", self.name, self.id, error)
            else:
                return
