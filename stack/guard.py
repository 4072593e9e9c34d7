"""The guard ends the stack's processes when the process that started them has ended in a way that lets it do nothing.

It is a small process of its own at the other end of a pipe. The pipe closes when its owner dies, however that happens.
"""

import atexit
import os
import signal
import subprocess
import sys
import threading
import time

_GRACE = 5.0  # seconds between asking the orphans to end and ending them

_guard: subprocess.Popen[str] | None = None
_owner: int | None = None
_alone = threading.Lock()  # a second guard would be one without an owner, and end what it was told of at once


def watch(group: int) -> None:
    """Have the process group ended when this process is gone."""
    _tell(f"+{group}")


def forget(group: int) -> None:
    """Take back ``watch``: the group has ended."""
    _tell(f"-{group}")


def _tell(line: str) -> None:
    with _alone:
        stdin = _current().stdin
        if stdin is not None:
            stdin.write(f"{line}\n")
            stdin.flush()


def _current() -> subprocess.Popen[str]:
    global _guard, _owner  # noqa: PLW0603  one guard for a process; a forked child needs one of its own
    if _guard is None or _owner != os.getpid():
        _guard = subprocess.Popen(
            [sys.executable, "-I", __file__], stdin=subprocess.PIPE, text=True, start_new_session=True
        )
        _owner = os.getpid()
        atexit.register(_dismiss, _owner)
    return _guard


def _dismiss(owner: int) -> None:
    if _guard is not None and _guard.stdin is not None and owner == os.getpid():
        _guard.stdin.close()
        _guard.wait()


def main() -> None:
    """Read the groups to watch until the owner is gone, then end those that are left."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    groups = _signal(groups, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    while groups and time.monotonic() < deadline:
        time.sleep(0.05)
        groups = _signal(groups, 0)
    _signal(groups, signal.SIGKILL)


def _signal(groups: set[int], number: int) -> set[int]:
    there = set()
    for group in groups:
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            continue
        there.add(group)
    return there


if __name__ == "__main__":
    main()
