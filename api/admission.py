"""What a client is told where the service has more work than it takes."""

from random import randint

from api.problems import OVERLOADED, ProblemError
from services.admission import admission

# Seconds after which to ask again: not all at once.
_SOONEST, _LATEST = 5, 15


def require_room() -> None:
    """Raise ProblemError where too much waits for workers."""
    problem = find_overload()
    if problem:
        raise problem


def find_overload() -> ProblemError | None:
    """Return why nothing new is accepted, ``None`` where there is room."""
    if admission.has_room():
        return None
    return ProblemError(
        OVERLOADED,
        "So many tasks wait for a worker that no more are accepted for now.",
        headers={"Retry-After": str(randint(_SOONEST, _LATEST))},  # noqa: S311  nobody gains by guessing it
    )
