"""What `make run` shows, and the keys it listens to."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from stack import interruption

_STYLES = {"bold": "1", "faint": "2", "good": "32", "bad": "31"}


def say(text: str = "") -> None:
    """Show a line."""
    print(text, flush=True)


def styled(text: str, style: str) -> str:
    """Return the text in a style (bold, faint, good, bad), if the terminal has any."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


@contextmanager
def interruptible() -> Iterator[None]:
    """Have SIGTERM and a closed terminal interrupt like Ctrl-C, and have Ctrl-C reach this process alone.

    `make`, which started it, would call an interrupted run a failure.
    """
    interruption.expect()
    before = _take_terminal()
    try:
        yield
    finally:
        if before is not None:
            os.tcsetpgrp(sys.stdin.fileno(), before)


def _take_terminal() -> int | None:
    if not sys.stdin.isatty():
        return None
    before = os.tcgetpgrp(sys.stdin.fileno())
    if before != os.getpgrp() or before == os.getpid():
        return None
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(sys.stdin.fileno(), os.getpid())
    return before
