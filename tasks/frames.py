from typing import Any


def forget_frames(retval: Any = None, **_: object) -> None:
    """Let go of what an error that ended a task held on to: the frames it passed, and all that they refer to.

    They refer to the error in turn, so they would wait for the garbage collector: a quarter of a megabyte for each task
    that failed, was retried or was not there to be run.
    """
    left = [retval]
    seen: set[int] = set()
    while left:
        error = left.pop()
        if isinstance(error, BaseException) and id(error) not in seen:
            seen.add(id(error))
            error.__traceback__ = None
            left += [error.__cause__, error.__context__, getattr(error, "exc", None)]
