"""A process whose clock is wrong: imported with ``CLOCK_SHIFT`` in the environment, it is off by so many seconds.

Python's own clock is shifted, and Django's: what the process reads and computes, not what the system does with timers.
"""

import os
import time
from datetime import timedelta

from django.utils import timezone

_SHIFT = float(os.environ.get("CLOCK_SHIFT", "0"))
_time, _time_ns, _now = time.time, time.time_ns, timezone.now

if _SHIFT:
    time.time = lambda: _time() + _SHIFT
    time.time_ns = lambda: _time_ns() + int(_SHIFT * 1e9)
    timezone.now = lambda: _now() + timedelta(seconds=_SHIFT)
