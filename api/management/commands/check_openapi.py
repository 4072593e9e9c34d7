from argparse import ArgumentParser
from difflib import unified_diff
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

FILE = "openapi.yaml"


class Command(BaseCommand):
    help = f"Check that {FILE} is what the endpoints declare, valid and without guesses. --write brings it up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("--write", action="store_true", help=f"Write {FILE} instead of comparing it.")
        parser.add_argument("--file", type=Path, default=settings.BASE_DIR / FILE, help="Another file.")

    def handle(self, *args: Any, write: bool, file: Path, **options: Any) -> None:
        """Compare or write."""
        del args, options
        generated = StringIO()
        call_command("spectacular", validate=True, fail_on_warn=True, stdout=generated)
        if write:
            file.write_text(generated.getvalue())
            return
        committed = file.read_text() if file.exists() else ""
        difference = "".join(
            unified_diff(
                committed.splitlines(keepends=True),
                generated.getvalue().splitlines(keepends=True),
                f"{file.name}, committed",
                f"{file.name}, generated",
            )
        )
        if difference:
            self.stdout.write(difference)
            raise CommandError(f"{file.name} is out of date. Run: python manage.py check_openapi --write")
