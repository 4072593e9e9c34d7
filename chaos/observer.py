"""Looks at the ledger while the service is at work."""

import time
from datetime import timedelta
from threading import Event

from django.db import Error, connection

from chaos import ledger
from chaos.observations import Observations
from chaos.recovery import Recoveries
from stack.process import wait_for

_GLANCE = 0.2  # seconds
_LOOK = 1.0
# An outcome has the time of its statement; that may be this long before it is committed and can be seen.
_LATE = timedelta(seconds=20)


def observe(seen: Observations, recoveries: Recoveries, stop: Event) -> None:
    """Take note of what is recovered and of what has become final, again and again until told to stop."""
    looked_at = 0.0
    try:
        while not stop.wait(_GLANCE):
            now = time.monotonic()
            try:
                recoveries.look(now, ledger.under_way())
                if now - looked_at > _LOOK:
                    seen.see(ledger.finished(within=_LATE))
                    looked_at = now
            except Error:
                connection.close()
    finally:
        connection.close()


def settle(seconds: float) -> bool:
    """Wait until everything is final. Returns whether it is within so many seconds."""
    return wait_for(lambda: not ledger.unfinished(), seconds)
