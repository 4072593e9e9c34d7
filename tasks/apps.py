from django.apps import AppConfig

from services.announcements import announce_ends
from services.metrics.counted import count_ends, declare
from services.selection import OPERATIONS


class TasksConfig(AppConfig):
    name = "tasks"

    def ready(self) -> None:
        """Know the tasks of operators; have those who wait for an action hear of its end, and have it counted."""
        from tasks import interventions  # noqa: F401, PLC0415  it needs the models

        announce_ends()
        count_ends()
        for operation in OPERATIONS:
            declare(operation)
