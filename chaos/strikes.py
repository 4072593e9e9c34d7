"""What is struck, when, and for how long it stays away: all of it follows from the seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Deed(StrEnum):
    """What may be done to the service."""

    CHILD = "pool children"
    WORKER = "workers"
    WEB = "web servers"
    BROKER = "brokers"
    DATABASE = "database servers"
    CONNECTION = "database connections"
    CONNECTIONS = "all database connections at once"
    FREEZE = "frozen workers"
    WIPE = "wiped brokers"


#: What kills something. The others only hinder, or take messages away.
KILLS = frozenset(Deed) - {Deed.FREEZE, Deed.WIPE}

# How often each is done, in hundredths.
_SHARES = {
    Deed.CHILD: 46,
    Deed.CONNECTION: 20,
    Deed.WORKER: 9,
    Deed.WEB: 9,
    Deed.FREEZE: 7,
    Deed.BROKER: 3,
    Deed.WIPE: 3,
    Deed.CONNECTIONS: 2,
    Deed.DATABASE: 1,
}
# For how many seconds at most; a frozen worker longer than the lease, at times.
_LONGEST = {Deed.WORKER: 2.0, Deed.WEB: 1.0, Deed.BROKER: 2.5, Deed.DATABASE: 2.0, Deed.FREEZE: 10.0}
_SECONDS_APART = 0.65  # on average
_QUIET_BEGINNING = 2.0


@dataclass(frozen=True, slots=True)
class Strike:
    """Something that is done ``at`` so many seconds after the beginning.

    Its victim is the one of this ``number``, counted round those that are there. What is ended or frozen stays so
    ``for_seconds``.
    """

    at: float
    deed: Deed
    number: int
    for_seconds: float


def plan(seed: int, seconds: float) -> Iterator[Strike]:
    """Return the strikes of a run, in the order of time."""
    random = Random(f"strikes of {seed}")
    at = _QUIET_BEGINNING
    while at < seconds:
        [deed] = random.choices(list(_SHARES), list(_SHARES.values()))
        yield Strike(at, deed, random.randrange(1_000), random.uniform(0, _LONGEST.get(deed, 0.0)))
        at += random.expovariate(1 / _SECONDS_APART)
