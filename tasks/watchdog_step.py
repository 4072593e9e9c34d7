"""A worker that is there and cannot be trusted any more ends itself, visibly, so that its orchestrator starts another.

Such a worker looks healthy from outside: its process runs. But nobody stamps heartbeats on what it executes once its
recovery hangs, and it takes no work once its event loop hangs or its consumer has lost its subscription unnoticed.
"""

import logging
import math
import os
import time
from threading import Thread
from typing import Any

from celery import bootsteps
from celery.concurrency import solo
from celery.worker import state
from django.conf import settings

from tasks.pulse import Pulse
from tasks.signs import CONSUMER, EVENT_LOOP, signs

logger = logging.getLogger(__name__)

_TICK = 1.0  # seconds
_SIGN_INTERVAL = 0.5  # seconds


def end_worker(reason: str) -> None:
    """Have this worker finish what it executes and end with an exit code that says so (``EX_SOFTWARE``)."""
    logger.critical("%s This worker ends itself.", reason)
    state.should_stop = os.EX_SOFTWARE  # type: ignore[assignment]  # typed by what it is at first


def is_ending() -> bool:
    """Tell whether this worker takes no more work, because it was told to end or ends itself."""
    return state.should_stop is not None and state.should_stop is not False  # an exit code, which may be 0


class Watchdog(Thread):
    """Ends the worker when a part of it has been silent for ``WORKER_SILENCE_MAX`` seconds.

    A hung event loop cannot even end. It has as long again as a child may wait for the database with its outcome
    (``OUTCOME_PATIENCE``); then the process is gone at once, and recovery elsewhere rescues what it executed.

    As long as none has, it gives the pulse that ``manage.py worker_health`` feels. It touches neither database nor
    broker; a disk that hangs it stops the pulse.
    """

    def __init__(self) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._pulse = Pulse()

    def run(self) -> None:
        limit = math.ceil(settings.WORKER_SILENCE_MAX / _TICK)
        last = limit + math.ceil(settings.OUTCOME_PATIENCE / _TICK)
        while True:
            time.sleep(_TICK)
            signs.tick()
            silent = signs.silent(limit)
            if not silent:
                self._pulse.beat()
            elif not is_ending():
                end_worker(f"No sign of life for {settings.WORKER_SILENCE_MAX:g} seconds from {' and '.join(silent)}.")
            if EVENT_LOOP in signs.silent(last):
                logger.critical("The event loop hangs still. This worker is gone now.")
                os._exit(os.EX_SOFTWARE)


class WatchdogStep(bootsteps.StartStopStep):
    """Starts the watchdog with the worker; it ends with the process."""

    def start(self, worker: Any) -> None:
        del worker
        Watchdog().start()


class EventLoopStep(bootsteps.StartStopStep):
    """Has the event loop give signs of life while the consumer runs."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        signs.give(CONSUMER)
        if consumer.hub and not isinstance(consumer.pool, solo.TaskPool):  # where it stands still for every task
            signs.give(EVENT_LOOP)
            self._timer = consumer.hub.call_repeatedly(_SIGN_INTERVAL, signs.give, EVENT_LOOP)

    def stop(self, consumer: Any) -> None:
        """Be silent: the consumer waits for a broker that is away, or has nothing more to take."""
        del consumer
        if self._timer:
            self._timer.cancel()
        signs.end(EVENT_LOOP)
        signs.end(CONSUMER)
