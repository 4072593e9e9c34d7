"""Messages for tasks that this worker has no code for. Celery drops them; here their reports are seen to.

The event loop only takes note of them. The recovery thread gives their reports back, or fails them: a database that is
slow keeps no message waiting.
"""

from collections import deque
from uuid import UUID

from celery.signals import task_unknown

from services import recovery

# Noted and not looked at yet. What is forgotten beyond them, or with a database that is away, is published again.
_MOST = 10_000
# So few in one pass that heartbeats are not held up.
_BATCH = 200

_noted: deque[tuple[UUID, str]] = deque(maxlen=_MOST)


@task_unknown.connect(weak=False)
def _note(id: object, name: object, **_: object) -> None:  # noqa: A002  the signal's word
    try:
        _noted.append((UUID(str(id)), str(name)))
    except ValueError:
        return  # no report's: somebody wrote it by hand


def turn_away() -> bool:
    """Give back, or fail, the reports of a batch of noted messages. Returns whether more are noted."""
    for _ in range(min(_BATCH, len(_noted))):
        id_, task = _noted.popleft()
        recovery.refuse_unknown(id_, task=task)
    return bool(_noted)
