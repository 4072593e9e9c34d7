"""A worker's pulse: a file that its watchdog touches every second, so that its age tells whether it can be trusted.

For whoever looks from outside, and often: an age costs next to nothing, and is there whatever else is away.
"""

import logging
import time

from django.conf import settings

logger = logging.getLogger(__name__)

#: Seconds after which a worker without a pulse is taken for dead.
LONGEST_PAUSE = 60.0


class Pulse:
    """What the watchdog touches."""

    def __init__(self) -> None:
        self._fails = False

    def beat(self) -> None:
        """Be alive. Where the file cannot be written the log says so, once: nobody outside hears of this worker."""
        try:
            settings.WORKER_PULSE_FILE.touch()
        except OSError as error:
            if not self._fails:
                logger.warning("WORKER_PULSE_FILE cannot be written, so manage.py worker_health fails: %s", error)
            self._fails = True
        else:
            self._fails = False


def seconds_since() -> float | None:
    """Return the seconds that have passed since the last beat, None where there was none."""
    try:
        return time.time() - settings.WORKER_PULSE_FILE.stat().st_mtime
    except OSError:
        return None
