from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from services.doctor.examination import examine
from services.doctor.findings import Finding, Verdict, number

_LONGEST_WAIT = 900.0


class Command(BaseCommand):
    help = "Tell what is wrong with this installation, and what to do about it. The exit code is 1 where something is."
    requires_system_checks: list[str] = []  # the doctor's own words for what they find

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument(
            "--longest-wait",
            type=float,
            default=_LONGEST_WAIT,
            metavar="SECONDS",
            help=f"How long a task may wait for a worker before that is wrong (default: {_LONGEST_WAIT:.0f}).",
        )

    def handle(self, *args: Any, longest_wait: float, **options: Any) -> None:
        """Print each finding as soon as it is found."""
        del args, options
        verdicts = []
        for finding in examine(longest_wait=longest_wait):
            self._print(finding)
            verdicts.append(finding.verdict)
        faults = verdicts.count(Verdict.WRONG)
        if faults:
            raise CommandError(f"{number(faults, 'thing')} wrong.")
        self.stdout.write(self.style.SUCCESS("Nothing is wrong."))

    def _print(self, finding: Finding) -> None:
        styles = {Verdict.OK: self.style.SUCCESS, Verdict.MIND: self.style.WARNING, Verdict.WRONG: self.style.ERROR}
        self.stdout.write(f"{styles[finding.verdict](f'{finding.verdict:<7}')} {finding.what}")
        if finding.advice:
            self.stdout.write(f"{'':<7} {finding.advice}")
