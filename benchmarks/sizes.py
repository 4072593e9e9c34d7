"""How much is measured, from the environment: ``QUICK=1`` for a run of a few minutes, which says little."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    rounds: int
    poll_seconds: float
    backlog: int  # actions of two tasks
    group: int  # tasks of one action
    groups: int
    latency_samples: int
    memory_tasks: int  # for each worker child
    finished: int  # reports in the full table
    waiting: int

    @classmethod
    def chosen(cls) -> "Sizes":
        """Return the sizes of a whole run, or of a quick one."""
        if is_quick():
            return cls(_rounds(2), 1.0, 800, 2_000, 1, 20, 4_000, 60_000, 6_000)
        return cls(_rounds(7), 3.0, 5_000, 10_000, 3, 200, 100_000, 1_000_000, 100_000)


def is_quick() -> bool:
    """Tell whether this is a run of a few minutes."""
    return bool(os.environ.get("QUICK"))


def has_fsync() -> bool:
    """Tell whether PostgreSQL is to wait for the disk."""
    return bool(os.environ.get("FSYNC"))


def _rounds(usual: int) -> int:
    return int(os.environ.get("ROUNDS", usual))
