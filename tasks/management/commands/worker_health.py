from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tasks.pulse import LONGEST_PAUSE, seconds_since


class Command(BaseCommand):
    help = "Tell by the exit code, 0 or 1, whether the worker beside this command is alive. Asks no database or broker."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Look at the age of the file that the worker's watchdog touches."""
        del args, options
        seconds = seconds_since()
        if seconds is None:
            raise CommandError(f"No worker has had a pulse here: there is no {settings.WORKER_PULSE_FILE}.")
        if seconds > LONGEST_PAUSE:
            raise CommandError(f"The worker has had no pulse for {seconds:.0f} seconds.")
        self.stdout.write("The worker is alive.")
