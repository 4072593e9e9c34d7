"""What the processes of a group are, and what they do."""

import os
from contextlib import suppress

import psutil


def members(group: int) -> list[int]:
    """Return the processes of a group, but for those that have ended and only wait for their parent to notice."""
    found = []
    for process in psutil.process_iter(["status"]):
        with suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == group and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def stands_still(group: int) -> bool:
    """Tell whether every thread of a group is stopped."""
    return all(_is_stopped(thread) for process in members(group) for thread in _threads(process))


def _threads(process: int) -> list[int]:
    with suppress(psutil.Error):
        return [thread.id for thread in psutil.Process(process).threads()]
    return []


def _is_stopped(thread: int) -> bool:
    with suppress(psutil.Error):
        return bool(psutil.Process(thread).status() == psutil.STATUS_STOPPED)
    return True  # it is gone
