"""Celery's soft time limit strikes a task, never the ledger in the middle of a write.

Celery tells a pool's child by a signal whose handler raises, between any two steps of the program: between a commit and
what is to be published after it, or so that a connection is left with a lock that nobody gives back.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from billiard.pool import SIG_SOFT_TIMEOUT


@contextmanager
def holding_back_limits() -> Iterator[None]:
    """Let a soft time limit that strikes in here strike when this ends."""
    if SIG_SOFT_TIMEOUT is None:  # systems that have no soft time limits
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {SIG_SOFT_TIMEOUT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def past_limits() -> Iterator[None]:
    """Let a soft time limit that strikes in here come too late: what it would stop has come to its end."""
    with holding_back_limits():
        yield
        if SIG_SOFT_TIMEOUT in signal.sigpending():
            signal.sigwait({SIG_SOFT_TIMEOUT})
