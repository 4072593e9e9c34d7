"""What a run has shown, for people and, on its last line, for programs."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chaos.audit import Audit
from chaos.deployment import LEASE
from chaos.recovery import Recovery, percentile
from chaos.strikes import KILLS, Deed
from reports.models import Status

_ZEROS = ("lost", "unfinished", "run_twice", "overwritten")
#: Within how many seconds a kill should be recovered from.
RECOVERY_BOUND = LEASE + 5.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The figures of a run. ``errors`` counts the failed actions by the code of their error."""

    audit: Audit
    accepted: int
    unheard: int
    errors: Mapping[str, int]
    deeds: Counter[Deed]
    ended_by_themselves: int
    recoveries: Sequence[Recovery]

    @property
    def is_good(self) -> bool:
        """Whether something was accepted and killed, and there are four zeros."""
        return self.audit.is_clean and self.accepted > 0 and self.kills > 0

    @property
    def kills(self) -> int:
        """How much was killed."""
        return sum(self.deeds[deed] for deed in KILLS)

    @property
    def findings(self) -> list[str]:
        """What should be looked into, in words."""
        return [*self.audit.lines, *map(str, self.late)]

    @property
    def late(self) -> list[Recovery]:
        """What took longer than it should, the longest first."""
        late = [recovery for recovery in self.recoveries if recovery.seconds > RECOVERY_BOUND]
        return sorted(late, key=lambda recovery: -recovery.seconds)

    def figures(self) -> dict[str, int | float]:
        """Return the figures that are compared from run to run."""
        seconds = [recovery.seconds for recovery in self.recoveries]
        return {
            "accepted": self.accepted,
            **{status: self.audit.counts[status] for status in (Status.OK, Status.FAILED, Status.CANCELLED)},
            **{zero: len(getattr(self.audit, zero)) for zero in _ZEROS},
            "kills": self.kills,
            "recovery_p50_s": round(percentile(seconds, 0.5), 2),
            "recovery_p95_s": round(percentile(seconds, 0.95), 2),
            "recovery_max_s": round(percentile(seconds, 1), 2),
        }

    def __str__(self) -> str:
        return "\n".join([*self._lines(), json.dumps(self.figures())])

    def _lines(self) -> list[str]:
        figures = self.figures()
        return [
            f"accepted     {self.accepted}; {self.unheard} requests were not answered",
            *(f"{status:<12} {figures[status]}" for status in (Status.OK, Status.CANCELLED)),
            f"failed       {figures[Status.FAILED]}: {_listed(self.errors)}",
            *(f"{zero.replace('_', ' '):<12} {figures[zero]}" for zero in _ZEROS),
            f"kills        {self.kills}: {_listed({d: n for d, n in self.deeds.items() if d in KILLS})}",
            f"besides      {_listed({d: n for d, n in self.deeds.items() if d not in KILLS})}",
            f"by itself    {self.ended_by_themselves} processes ended",
            f"recovery     {_times([recovery.seconds for recovery in self.recoveries])}",
            f"             {len(self.late)} of {len(self.recoveries)} above {RECOVERY_BOUND:g} s",
            f"by the wall  {_times([recovery.by_the_wall for recovery in self.recoveries])}",
        ]


def _times(seconds: list[float]) -> str:
    p50, p95, longest = (percentile(seconds, share) for share in (0.5, 0.95, 1))
    return f"p50 {p50:.2f} s, p95 {p95:.2f} s, max {longest:.2f} s"


def _listed(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in sorted(numbers.items(), key=lambda it: (-it[1], it[0])))
