"""Whether there is room for more work. What waits for workers is bounded: who could only wait is told so at once."""

import logging
from threading import Lock
from time import monotonic

from django.conf import settings

from reports import backlog

logger = logging.getLogger(__name__)

# Seconds for which an answer is taken to hold, but no less than how many times as long as it took to find out.
_HOLDS = 0.2
_TIMES_AS_LONG = 20

# How much of the room operators' retries take: clients find the rest.
_OF_RETRIES = 0.5
# How much of that has to be free before they go on: or each of them would ask how much there is.
_LEAST = 0.01


class Admission:
    """What this process knows of the room that there is. It asks the database once for all who want to know."""

    def __init__(self) -> None:
        self._has_room = True
        self._holds_until = float("-inf")
        self._lock = Lock()

    def has_room(self) -> bool:
        """Tell whether less than ``REPORT_MAX_WAITING`` tasks wait for a worker, as of a moment ago."""
        if monotonic() >= self._holds_until and self._lock.acquire(blocking=False):
            try:
                began = monotonic()
                self._note(has_room=not backlog.is_as_long_as(settings.REPORT_MAX_WAITING))
                now = monotonic()
                self._holds_until = now + max(_HOLDS, _TIMES_AS_LONG * (now - began))
            finally:
                self._lock.release()
        return self._has_room

    def _note(self, *, has_room: bool) -> None:
        if self._has_room and not has_room:
            most = settings.REPORT_MAX_WAITING
            logger.warning("%d tasks or more wait for a worker: no more actions are accepted.", most)
        elif has_room and not self._has_room:
            logger.info("There is room for more actions again.")
        self._has_room = has_room


class RetryRoom:
    """What is known of the room for what an operator retries, of many: it leaves clients theirs."""

    def __init__(self) -> None:
        self._left = 0

    @property
    def most(self) -> int:
        """How many tasks may wait for workers before retries have to wait as well."""
        return max(1, int(settings.REPORT_MAX_WAITING * _OF_RETRIES))

    def is_there(self) -> bool:
        """Tell whether one more report may be retried. Asks the database when what it has found is used up."""
        if self._left <= 0:
            free = self.most - backlog.count_waiting(most=self.most)
            self._left = free if free >= self.most * _LEAST else 0
        return self._left > 0

    def take(self, tasks: int) -> None:
        """Take note that so many more tasks wait."""
        self._left -= tasks

    @property
    def lack(self) -> str:
        """What is to be told of it while it is not there."""
        return (
            f"about {self.most:,} tasks or more wait for workers, and retries may fill no more than half of"
            " REPORT_MAX_WAITING"
        )


admission = Admission()
