"""Long queues, and how long a message may be on its way in each: what waits there is not published again meanwhile.

A message too many is harmless, but makes a long queue longer: with half a minute of backlog, each action cost four
times as much as without.
"""

from collections.abc import Collection

from django.conf import settings

from reports import waiting
from services import queues

# As long as the last tasks have waited, and once more: the queue may have grown since they came.
_MARGIN = 2.0
# Where none has begun since the last look, nearly as long as it was.
_FADING = 0.9
_BATCH = 2_000


class Backpressure:
    """What is known of the queues, each look anew."""

    def __init__(self) -> None:
        self._patience: dict[str, float] = {}  # seconds, by queue

    def look(self, *, empty: Collection[str]) -> None:
        """Learn how long the last tasks have waited; ``empty`` queues have nothing in them that one could wait for."""
        waits = dict.fromkeys(self._patience, 0.0)
        for task, seconds in waiting.longest_waits().items():
            queue = queues.name_for(task)
            waits[queue] = max(waits.get(queue, 0.0), seconds)
        self._patience = {
            queue: min(
                max(_MARGIN * seconds, _FADING * self._patience.get(queue, 0.0)), settings.RECOVERY_REPUBLISH_MAX
            )
            for queue, seconds in waits.items()
            if queue not in empty
        }

    def put_off(self) -> bool:
        """Let a batch wait on of what has waited no longer than its queue takes. Returns whether more may be."""
        long = {queue: s for queue, s in self._patience.items() if s > settings.RECOVERY_REPUBLISH_AFTER}
        if not long:
            return False
        named = queues.tasks_by_queue()
        return any(
            waiting.put_off_waiting(_BATCH, tasks=named.get(queue, ()), younger_than=seconds) == _BATCH
            for queue, seconds in long.items()
        )
