from argparse import ArgumentParser
from difflib import unified_diff
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from api.management.configuration import UndocumentedVariableError, page_of, read

FILE = "docs/configuration.md"


class Command(BaseCommand):
    help = f"Check that {FILE} is what config/settings.py reads. --write brings it up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("--write", action="store_true", help=f"Write {FILE} instead of comparing it.")
        parser.add_argument("--file", type=Path, default=settings.BASE_DIR / FILE, help="Another file.")

    def handle(self, *args: Any, write: bool, file: Path, **options: Any) -> None:
        """Compare or write."""
        del args, options
        try:
            generated = page_of(read(settings.BASE_DIR / "config" / "settings.py"))
        except UndocumentedVariableError as error:
            raise CommandError(str(error)) from error
        if write:
            file.write_text(generated)
            return
        committed = file.read_text() if file.exists() else ""
        difference = "".join(
            unified_diff(
                committed.splitlines(keepends=True),
                generated.splitlines(keepends=True),
                f"{file.name}, committed",
                f"{file.name}, generated",
            )
        )
        if difference:
            self.stdout.write(difference)
            raise CommandError(f"{FILE} is out of date. Run: python manage.py check_configuration --write")
