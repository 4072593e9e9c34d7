"""Numbers that outlive their process: those of the processes of one server or worker are files in one folder.

Each process has a slot, a number that it holds by a lock, and the library keeps what the process counts in files with
that number. Who dies, killed or not, leaves slot and files to the process that takes its place and counts on; so there
are as many files as processes at a time, and none is lost. A folder whose slots nobody holds is that of the dead, and
the first who comes clears it.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from prometheus_client import values

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # where the library keeps its files
_lock: int | None = None  # the descriptor that holds this process's slot
_slot = 0


def share(family: Path) -> None:
    """Have what this process counts be one with what the others of the ``family`` count, and those that it forks.

    To be called before anything is counted. The folders beside it are those of other families; what the dead have left
    of them is removed.

    Raises:
        ImproperlyConfigured: the folder cannot be written.

    """
    try:
        while not _joined(family):  # somebody took it for one of the dead and has just removed it
            pass
    except OSError as error:
        raise ImproperlyConfigured(
            f"What METRICS_TOKEN shows is kept under VAR_DIR, which cannot be written: {error}."
            " Choose another VAR_DIR, or leave METRICS_TOKEN out."
        ) from error


def folder() -> Path | None:
    """Return where the numbers of this family are, ``None`` where nobody shares any."""
    return Path(os.environ[_VARIABLE]) if _VARIABLE in os.environ else None


def _own_slot() -> int:
    """Return the number of this process's slot, taken when it is first asked for. Called each time something counts."""
    global _lock, _slot  # noqa: PLW0603  a process has one slot
    if _lock is None:
        for _slot in count():
            _lock = _try_lock(Path(os.environ[_VARIABLE]) / f"{_slot}.lock")
            if _lock is not None:
                break
    return _slot


def _forget_slot() -> None:
    global _lock  # noqa: PLW0603
    _lock = None  # the descriptor stays open: the lock is the parent's, who may die before its child does


os.register_at_fork(after_in_child=_forget_slot)


def _joined(family: Path) -> bool:
    family.mkdir(parents=True, exist_ok=True)
    for folder in family.parent.iterdir():
        _clear_if_dead(folder, remove=folder != family)
    with _locked(family / "family.lock") as is_there:
        if is_there:
            os.environ[_VARIABLE] = str(family)
            values.ValueClass = values.MultiProcessValue(_own_slot)  # type: ignore[no-untyped-call]  # takes the slot
        return is_there


def _clear_if_dead(folder: Path, *, remove: bool) -> None:
    """Delete what is in a folder whose slots nobody holds."""
    with _locked(folder / "family.lock") as is_there:
        if not is_there or not all(map(_is_free, folder.glob("[0-9]*.lock"))):
            return
        if remove:
            shutil.rmtree(folder, ignore_errors=True)
            return
        for file in (*folder.glob("*.db"), *folder.glob("[0-9]*.lock")):
            file.unlink(missing_ok=True)


def _is_free(slot: Path) -> bool:
    lock = _try_lock(slot)
    if lock is not None:
        os.close(lock)
    return lock is not None


@contextmanager
def _locked(file: Path) -> Iterator[bool]:
    """Be alone with a folder. Yields whether it is still there."""
    try:
        lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except (FileNotFoundError, NotADirectoryError):
        yield False
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield os.fstat(lock).st_nlink > 0  # somebody may have taken it for dead while this waited
    finally:
        os.close(lock)


def _try_lock(file: Path) -> int | None:
    lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
