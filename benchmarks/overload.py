"""Show what becomes of three times as much work as the service can do: it sheds, polls stay fast, the rest is done.

Starts a PostgreSQL, a Valkey, two web processes and two worker slots of its own; MOST (1,000) tasks may wait for them.
"""

import os
import sys
import time

from benchmarks.alone import SHED, Alone, alone, put_together
from benchmarks.load import Answered, put

MOST = os.environ.get("MOST", "1000")
SECONDS = float(os.environ.get("SECONDS", "30"))
POLLS = 50.0  # a second
_PATIENCE = 300.0


def main() -> int:
    """Returns 0 where everything that was accepted has ended, and what was not has been told when to come back."""
    with alone(REPORT_MAX_WAITING=MOST) as it:
        known = len(it.reports)
        quiet = put(it.polls(seconds=SECONDS / 3, rate=POLLS), status=200)
        _tell("nothing else", quiet)
        # Who sheds accepts as much as is done.
        filling = put(it.submissions(seconds=SECONDS / 3), status=202, or_else=SHED)
        full = put(it.submissions(seconds=SECONDS / 2, connections=4), status=202, or_else=SHED)
        rate = _accepted(full) / full.seconds
        print(f"\nSustainable: {rate:.0f} actions of two tasks a second. Three times as much is asked for:\n")
        submitted, polled = put_together(
            it.submissions(seconds=SECONDS, rate=3 * rate, connections=64), it.polls(seconds=SECONDS, rate=POLLS)
        )
        shed = submitted.answers - _accepted(submitted)
        print(
            f"  asked {submitted.per_second:.0f}/s, accepted {_accepted(submitted) / submitted.seconds:.0f}/s,"
            f" answered {SHED} {shed / submitted.seconds:.0f}/s; p50 {submitted.p50:.0f} ms, p99 {submitted.p99:.0f} ms"
        )
        _tell("three times too much", polled)
        _wait_until_all_ended(it)
        accepted = known + sum(map(_accepted, (filling, full, submitted)))
        kept = int(it.service.manage(code=_KEPT))
        print(f"  accepted {accepted:,}, in the ledger and ended {kept:,}")
        refused = submitted.body[9:12] == str(SHED)
        return int(not (kept == accepted and shed and (not refused or "retry-after: " in submitted.body.lower())))


def _accepted(answered: Answered) -> int:
    return answered.statuses.get("202", 0)


def _wait_until_all_ended(it: Alone) -> None:
    began = time.monotonic()
    while left := it.unfinished():
        if time.monotonic() - began > _PATIENCE:
            raise TimeoutError(f"{left} actions have not ended.")
        time.sleep(0.5)
    print(f"\nAll ended {time.monotonic() - began:.0f} s later:")


def _tell(what: str, polled: Answered) -> None:
    print(f"  polling beside {what}: p50 {polled.p50:.1f} ms, p99 {polled.p99:.1f} ms", flush=True)


_KEPT = """
from reports.models import AsyncActionReport
print(AsyncActionReport.objects.filter(parent=None).count())
"""

if __name__ == "__main__":
    sys.exit(main())
