from typing import Any

from celery import bootsteps

_INTERVAL = 0.5  # seconds


class PoolStep(bootsteps.StartStopStep):
    """Has a worker notice at once that a child of its pool is gone, so that the child's task is recorded as lost.

    Celery looks when a child's pipe closes, which is a moment before the child can be waited for, and then only every
    five seconds.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        if consumer.hub:
            self._timer = consumer.hub.call_repeatedly(_INTERVAL, consumer.pool.maintain_pool)

    def stop(self, consumer: Any) -> None:
        del consumer
        if self._timer:
            self._timer.cancel()
