from typing import Any

from celery import bootsteps


class LedgerTasksOnlyStep(bootsteps.StartStopStep):
    """Has a worker take messages for tasks of the ledger alone, and refuse every other one as unknown.

    A task of some library that knows no ledger would run for whoever writes to the broker, with any arguments. Celery's
    built-in tasks have no use here either: canvases are kept in the ledger.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        consumer.strategies = {
            name: strategy
            for name, strategy in consumer.strategies.items()
            if getattr(consumer.app.tasks[name], "records_outcome", False) and not name.startswith("celery.")
        }
