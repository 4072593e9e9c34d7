from django.apps import AppConfig

from services.announcements import announce_ends


class TasksConfig(AppConfig):
    name = "tasks"

    def ready(self) -> None:
        """Know the tasks of operators, and have those who wait for an action hear of its end, wherever it ends."""
        from tasks import interventions  # noqa: F401, PLC0415  it needs the models

        announce_ends()
