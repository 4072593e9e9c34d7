from time import monotonic

from reports import execution
from reports.execution import Claim

_INTERVAL = 1.0


class Progress:
    """How far one attempt is, written to its report at most once a second."""

    def __init__(self) -> None:
        self._written_at: float | None = None

    def report(self, claim: Claim, *, current: float, total: float | None, message: str) -> None:
        """Write, or leave it out where the last write is too fresh.

        Raises:
            AttemptLostError: the attempt was superseded.
            DocumentTooLargeError: the message is too long.

        """
        now = monotonic()
        if self._written_at is not None and now - self._written_at < _INTERVAL:
            return
        self._written_at = now
        execution.report_progress(claim, {"current": current, "total": total, "message": message})
