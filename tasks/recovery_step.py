"""The worker's recovery: a small thread in its main process that keeps the ledger's promises."""

import logging
import os
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any
from uuid import UUID

from celery import bootsteps
from celery.worker import state
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from reports import waiting
from services import recovery
from tasks.worker import worker_name

logger = logging.getLogger(__name__)

# The pool forks while this thread works. A child must not be born with a lock of a pass in progress held for ever.
_pass_lock = Lock()
os.register_at_fork(before=_pass_lock.acquire, after_in_parent=_pass_lock.release, after_in_child=_pass_lock.release)


class RecoveryThread(Thread):
    """Stamps heartbeats, publishes what is due and rescues what is stuck, until told to stop."""

    def __init__(self) -> None:
        super().__init__(name="recovery", daemon=True)
        self._stopped = Event()
        self._beat_at = 0.0
        # The moment since when the database has answered every time. Before a lease has passed, nobody's heartbeat
        # says anything: they could not be written.
        self._trusted_since = monotonic()

    def stop(self) -> None:
        """Stop after the pass that is under way."""
        self._stopped.set()

    def run(self) -> None:
        while not self._stopped.wait(settings.RECOVERY_INTERVAL):
            with _pass_lock:
                self._run_pass()
        connection.close()

    def _run_pass(self) -> None:
        try:
            self._beat()
            recovery.publish_due()
            if monotonic() - self._trusted_since >= settings.RECOVERY_LEASE:
                recovery.rescue_stale()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Recovery waits for the database: %s", error)
            self._trusted_since = monotonic()
            connection.close()
        except Exception:
            logger.exception("A pass of recovery failed; the next one tries again.")

    def _beat(self) -> None:
        if monotonic() - self._beat_at < settings.RECOVERY_HEARTBEAT_INTERVAL:
            return
        waiting.beat([UUID(id_) for id_ in tuple(state.requests)], worker=worker_name())
        self._beat_at = monotonic()


class RecoveryStep(bootsteps.StartStopStep):
    """Runs the recovery thread as long as the worker runs."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._thread: RecoveryThread | None = None

    def start(self, worker: Any) -> None:
        del worker
        self._thread = RecoveryThread()
        self._thread.start()

    def stop(self, worker: Any) -> None:
        del worker
        if self._thread:
            self._thread.stop()
            self._thread.join(timeout=settings.RECOVERY_INTERVAL + 5)
