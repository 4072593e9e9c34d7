from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from reports.retention import count_old, count_old_entries
from services.purging import Purge


class Command(BaseCommand):
    help = (
        "Delete the final reports, and the entries of the journal, that are older than their retention."
        " Workers do the same, a batch at a time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("--dry-run", action="store_true", help="Only say how many there are.")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        """Delete batch by batch, and say how many actions' reports and entries that were."""
        del args, options
        if dry_run:
            self.stdout.write(f"Action reports older than their retention: {count_old()}.")
            self.stdout.write(f"Entries of the journal older than theirs: {count_old_entries()}.")
            return
        purge = Purge()
        purge.finish()
        self.stdout.write(f"Action reports older than their retention: {purge.reports}, deleted with their tasks.")
        self.stdout.write(f"Entries of the journal older than theirs: {purge.entries}, deleted.")
