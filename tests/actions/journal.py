"""A file to which tasks write a line each time they run: what really happened, whatever the ledger says."""

import os
from collections import Counter
from pathlib import Path

from django.conf import settings


def write(line: str) -> None:
    """Add a line. Lines of processes that write side by side do not mix."""
    file = os.open(_path(), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, f"{line}\n".encode())
    finally:
        os.close(file)


def lines(prefix: str = "") -> list[str]:
    """Return the lines that begin with ``prefix``, without it, in the order they were written."""
    if not _path().exists():
        return []
    return [line[len(prefix) :] for line in _path().read_text().splitlines() if line.startswith(prefix)]


def counts(prefix: str) -> Counter[str]:
    """Return how often each line that begins with ``prefix`` was written."""
    return Counter(lines(prefix))


def _path() -> Path:
    return Path(settings.VAR_DIR) / "journal"
