"""Who executes: the names that workers claim reports under."""

import os
from uuid import uuid4

from celery.signals import celeryd_init

# A worker that is started again under its old name must not be taken for the one before: hence the random part.
# Pool children inherit it through fork, so parent and children are one worker.
_incarnation = uuid4().hex[:8]
_name = f"process-{os.getpid()}"


@celeryd_init.connect(weak=False)
def _learn_name(sender: str, **_: object) -> None:
    global _name  # noqa: PLW0603  a process is one worker, named once before it forks
    _name = sender


def worker_name() -> str:
    """Return the name of this worker, the same in its main process and its pool children."""
    return f"{_name}#{_incarnation}"


def child_name(pid: int | str) -> str:
    """Return what the names begin with under which the pool child ``pid`` claims."""
    return f"{worker_name()}:{pid}-"


def claimant_name() -> str:
    """Return a name for one claim, so that a claim whose answer was lost can be told from every other one."""
    return f"{child_name(os.getpid())}{uuid4().hex[:8]}"
