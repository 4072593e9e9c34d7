"""The worker's recovery: a small thread in its main process that keeps the ledger's promises."""

import atexit
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Any
from uuid import UUID

from celery import bootsteps
from celery.worker import state
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from kombu.exceptions import OperationalError as BrokerError

from reports import waiting, workers
from reports.database import limit_lock_waits
from services import queues, recovery
from services.backpressure import Backpressure
from services.metrics.counted import count_broker_error, count_database_error
from services.purging import Purge
from tasks import strangers
from tasks.request import executing
from tasks.signs import CONSUMER, RECOVERY, signs
from tasks.watchdog_step import end_worker, is_ending
from tasks.worker import worker_name

logger = logging.getLogger(__name__)

_QUEUES_INTERVAL = 5.0
_PURGE_INTERVAL = 10.0
_FORGET_INTERVAL = 60.0
_REMEMBERED = 3600.0  # how long people may see that a worker was lost
_LAST_PASS = 5.0
_LOCK_WAIT = 1.0  # who stands still with the lock of one report must not keep recovery from the others

# The pool forks while this thread works. A child must not be born with a lock of a pass in progress held for ever.
_pass_lock = Lock()
os.register_at_fork(before=_pass_lock.acquire, after_in_parent=_pass_lock.release, after_in_child=_pass_lock.release)


# Goes on while the machine is suspended; on Linux, unlike elsewhere, the monotonic one does not.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def _clock() -> float:
    return time.clock_gettime(_CLOCK)


class Duty:
    """One thing that recovery does again and again, ``interval`` seconds apart, and at once where more is left."""

    def __init__(self, work: Callable[[], bool | None], interval: float = 0.0) -> None:
        self._work = work
        self._interval = interval
        self._due_at = 0.0

    def do_if_due(self) -> bool:
        """Do it, if its time has come. Returns whether more is left to do."""
        started_at = _clock()
        if started_at < self._due_at:
            return False
        self._due_at = started_at + self._interval
        more = bool(self._work())
        if more:
            self._due_at = started_at
        return more


class RecoveryThread(Thread):
    """Stamps heartbeats, publishes what is due and rescues what is stuck, until told to stop."""

    def __init__(self, worker: Any) -> None:
        super().__init__(name="recovery", daemon=True)
        self._worker = worker
        self._stopped = Event()
        # The moment since when the database has answered, and this machine has run, without a gap. Before a lease has
        # passed, nobody's heartbeat says anything: others may not have been able to write theirs either.
        self._trusted_since = _clock()
        self._passed_at = self._trusted_since
        self._taken = 0  # messages, when the queues were looked at last
        self._backpressure = Backpressure()
        self._duties = (
            Duty(self._beat, settings.RECOVERY_HEARTBEAT_INTERVAL),
            Duty(self._look_at_queues, min(_QUEUES_INTERVAL, settings.WORKER_SILENCE_MAX / 4)),
            Duty(self._publish_due),
            Duty(strangers.turn_away),
            Duty(recovery.end_overdue),
            Duty(self._rescue_stale),
            Duty(Purge().go_on, _PURGE_INTERVAL),
            Duty(lambda: workers.forget_lost(_REMEMBERED), _FORGET_INTERVAL),
            # The last one: others go by it that everything before it was done.
            Duty(self._show_up, settings.RECOVERY_HEARTBEAT_INTERVAL),
        )

    def stop(self) -> None:
        """Stop, and wait for the pass that is under way."""
        self._stopped.set()
        self.join(timeout=_LAST_PASS)

    def run(self) -> None:
        try:
            more = False
            while not self._stopped.wait(0 if more else settings.RECOVERY_INTERVAL):
                with _pass_lock:
                    more = self._run_pass()
            self._leave()
        finally:
            connection.close()
            signs.end(RECOVERY)
            if not self._stopped.is_set():
                end_worker("Recovery has died.")  # nobody would stamp this worker's heartbeats any more

    def _run_pass(self) -> bool:
        signs.give(RECOVERY)
        now = _clock()
        if now - self._passed_at > settings.RECOVERY_LEASE / 2:
            self._trusted_since = now
        self._passed_at = now
        try:
            limit_lock_waits(_LOCK_WAIT)
            left = [duty.do_if_due() for duty in self._duties]
            return any(left)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Recovery waits for the database: %s", error)
            count_database_error("recovery")
            self._trusted_since = _clock()
            connection.close()
        except Exception:
            logger.exception("A pass of recovery failed; the next one tries again.")
        return False

    def _beat(self) -> None:
        requests = {UUID(request.id): request for request in executing()}
        for id_ in waiting.beat(requests, worker=worker_name()):
            if getattr(requests[id_].task, "terminate_on_cancel", False):
                requests[id_].terminate_child(self._worker.pool)

    def _show_up(self) -> None:
        own = [] if is_ending() else sorted(self._worker.app.amqp.queues.consume_from)
        workers.show_up(worker_name(), queues=own, processes=self._worker.concurrency)

    def _leave(self) -> None:
        with suppress(DatabaseError, InterfaceError):
            workers.leave(worker_name())

    def _rescue_stale(self) -> bool:
        if _clock() - self._passed_at > settings.RECOVERY_HEARTBEAT_INTERVAL:
            # Something hung in this very pass: others may have been as unable to write their heartbeats.
            self._trusted_since = _clock()
        return _clock() - self._trusted_since >= settings.RECOVERY_LEASE and recovery.rescue_stale()

    def _publish_due(self) -> bool:
        return self._backpressure.put_off() or recovery.publish_due()

    def _look_at_queues(self) -> None:
        own = self._worker.app.amqp.queues.consume_from
        try:
            empty = queues.find_empty(own)
        except BrokerError:
            # Publishing finds that out for itself, and the consumer waits for the broker.
            signs.give(CONSUMER)
            count_broker_error("away")
            return
        taken = state.all_total_count[0]
        # A worker that has nothing in hand takes what its queues have.
        if len(empty) == len(own) or self._has_something_in_hand() or taken != self._taken:
            signs.give(CONSUMER)
        self._taken = taken
        self._backpressure.look(empty=empty)
        recovery.republish_lost(empty)

    def _has_something_in_hand(self) -> bool:
        # What waits for a task's rate limit is in that task's bucket alone.
        buckets = list(self._worker.consumer.task_buckets.values())
        return bool(state.reserved_requests) or any(bucket and bucket.contents for bucket in buckets)


class RecoveryStep(bootsteps.StartStopStep):
    """Runs the recovery thread until the process exits.

    Not only until the worker stops: a worker that drains still executes tasks, and others must hear of it.
    """

    requires = ("celery.worker.components:Pool",)

    def start(self, worker: Any) -> None:
        thread = RecoveryThread(worker)
        thread.start()
        atexit.register(thread.stop)
