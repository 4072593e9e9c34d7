"""Interruptions by Ctrl-C, SIGTERM or a closed terminal, which wait while they would leave something half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Interruptions:
    def __init__(self) -> None:
        self.held = 0
        self.has_come = False

    def come(self, number: int, frame: object) -> None:
        del number, frame
        self.has_come = True
        self.deliver()

    def deliver(self) -> None:
        if self.has_come and not self.held:
            self.has_come = False
            raise KeyboardInterrupt


_interruptions = _Interruptions()


def expect() -> None:
    """Have each of the signals raise KeyboardInterrupt in the main thread from now on, where nothing holds them back.

    SIGINT too: a shell's background job is started with SIGINT ignored.
    """
    for number in _SIGNALS:
        signal.signal(number, _interruptions.come)


@contextmanager
def held_back() -> Iterator[None]:
    """Let what comes within the block come at its end, so that all of the block is done, or nothing.

    Signals are not blocked: who is started within the block would inherit that, and other threads would get them
    instead. Other threads are never interrupted, and nothing is held back for them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _interruptions.held += 1
    try:
        yield
    finally:
        _interruptions.held -= 1
        _interruptions.deliver()
