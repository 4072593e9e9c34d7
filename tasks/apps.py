from django.apps import AppConfig

from services.announcements import announce_ends


class TasksConfig(AppConfig):
    name = "tasks"

    def ready(self) -> None:
        """Have those who wait for an action hear of its end, in whichever process it ends."""
        announce_ends()
