import signal
from typing import Any

from celery.exceptions import TimeLimitExceeded
from celery.worker.request import Request
from celery.worker.state import task_ready

from tasks.base import BaseErrorHandlerMixin


class LedgerRequest(Request):
    """A message in the worker's main process. Records what a pool child could not record: that it is gone."""

    terminated = False

    def terminate_child(self, pool: Any) -> None:
        """Kill the pool child that runs this, because its action is not wanted any more."""
        self.terminated = True
        pool.terminate_job(self.worker_pid, signal.SIGKILL)

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:  # noqa: FBT001, FBT002
        """Leave what a child reported to Celery; anything else means that there is no child any more."""
        if return_ok:
            super().on_failure(exc_info, send_failed_event=send_failed_event, return_ok=True)
            return
        task_ready(self)
        raised = getattr(exc_info.exception, "exc", exc_info.exception)
        if isinstance(raised, TimeLimitExceeded):
            return  # recorded by on_failure, which Celery calls next
        task = self.task
        if isinstance(task, BaseErrorHandlerMixin):
            task.on_worker_lost(self.id, terminated=self.terminated)
