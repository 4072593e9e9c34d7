from django.apps import AppConfig

from services.announcements import announce_ends
from services.metrics.counted import count_ends, declare


class TasksConfig(AppConfig):
    name = "tasks"

    def ready(self) -> None:
        """Know the tasks of operators; have those who wait for an action hear of its end, and have it counted."""
        from services.selection import OPERATIONS  # noqa: PLC0415  it needs the models
        from tasks import interventions  # noqa: F401, PLC0415  the same

        announce_ends()
        count_ends()
        for operation in OPERATIONS:
            declare(operation)
