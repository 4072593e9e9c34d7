from time import monotonic
from typing import Any

from django.conf import settings
from django.db import transaction

from reports import execution
from reports.attempts import Claim
from reports.documents import dump
from services.announcements import announce
from tasks.limits import holding_back_limits
from tasks.patience import if_possible

_INTERVAL = 1.0


class Progress:
    """How far one attempt is, written to its report at most once a second."""

    def __init__(self) -> None:
        self._written_at: float | None = None

    def report(self, claim: Claim, *, current: float, total: float | None, message: str) -> None:
        """Write, or leave it out where the last write is too fresh.

        In a transaction of the task's own it is written after the commit. Nobody would see it earlier, and cancelling
        and handing over would wait for the transaction.

        Raises:
            AttemptLostError: the attempt was superseded.
            DocumentTooLargeError: the message is too long.

        """
        now = monotonic()
        if self._written_at is not None and now - self._written_at < _INTERVAL:
            return
        self._written_at = now
        progress = {"current": current, "total": total, "message": message}
        # What is wrong with it is told here, not at the end of the task's transaction.
        dump(progress, limit=settings.REPORT_MAX_PROGRESS_BYTES, what=f"The progress of {claim.task}")
        transaction.on_commit(lambda: _write(claim, progress))


def _write(claim: Claim, progress: dict[str, Any]) -> None:
    with holding_back_limits():
        if_possible(lambda: execution.report_progress(claim, progress))
        announce(claim.root)
