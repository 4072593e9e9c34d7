from typing import Any

from celery import bootsteps


class LedgerTasksOnlyStep(bootsteps.StartStopStep):
    """Has a worker take messages for tasks of the ledger alone, and refuse every other one as unknown.

    Celery's built-in tasks call any task with any arguments: with ``celery.map`` whoever writes to the broker could
    run work that nobody has requested.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        consumer.strategies = {
            name: strategy
            for name, strategy in consumer.strategies.items()
            if getattr(consumer.app.tasks[name], "records_outcome", False)
        }
