"""What ``cancel_reports`` and ``retry_reports`` have in common: all but the verb."""

import os
import pwd
import time
from argparse import ArgumentParser
from typing import Any, ClassVar
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from api.management.selecting import add_filters, search_of
from reports import selectors, workers
from reports.errors import RoomLackingError, SelectionInvalidError
from reports.journal import LONGEST_REASON, Operator
from reports.models import FINAL, Source, Status, Verb
from reports.search import Search
from reports.selectors import Report
from services import interventions as single
from services import selection
from tasks import interventions

_EXAMPLES = 5
_LOOK_EVERY = 0.5  # seconds


class InterventionCommand(BaseCommand):
    """Acts on reports by their ids at once, on those that a search finds as an operation with a report of its own."""

    verb: ClassVar[Verb]

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("ids", nargs="*", metavar="id", help="Ids of reports; nothing else chooses.")
        parser.add_argument("--yes", action="store_true", help="Do it. Without it, only tell what it would be.")
        parser.add_argument("--wait", action="store_true", help="Show how far it is, and end when it has ended.")
        parser.add_argument("--as", dest="person", default="", metavar="NAME", help="Who you are, for the journal.")
        parser.add_argument("--reason", default="", metavar="TEXT", help="Why, for the journal.")
        add_filters(parser)

    def handle(
        self, *args: Any, ids: list[str], yes: bool, wait: bool, person: str, reason: str, **options: Any
    ) -> None:
        """Tell what would be changed, or change it."""
        del args
        operator = _operator(person, reason)
        search = search_of(options)
        if bool(ids) == (search is not None):
            raise CommandError("Say which reports: by their ids, or by what is true of them; --all is all of them.")
        if search is not None:
            self._act_on_matches(search, operator if yes else None, wait=wait)
        elif yes:
            self._act_on_each([_id_of(text) for text in ids], operator)
        else:
            self._show([_find(_id_of(text)) for text in ids])
            self._tell_dry()

    def _act_on_each(self, ids: list[UUID], operator: Operator) -> None:
        refused = 0
        try:
            for id_, refusal in zip(ids, single.intervene_in_each(self.verb, ids, operator), strict=True):
                refused += refusal is not None
                said = f"{self.style.ERROR('refused')}  {refusal}" if refusal else self.style.SUCCESS("done")
                self.stdout.write(f"{id_}  {said}")
        except RoomLackingError as lack:
            raise CommandError(str(lack)) from lack
        if refused:
            raise CommandError(f"Refused: {refused} of {len(ids)}.")

    def _act_on_matches(self, search: Search, operator: Operator | None, *, wait: bool) -> None:
        try:
            selected = selection.select(self.verb, search)
        except SelectionInvalidError as error:
            raise CommandError(str(error)) from error
        number = selection.count(selected)
        self.stdout.write(f"Reports to {self.verb}: {number}.")
        if operator is None or not number.counted:
            self._show(selection.examples(selected, limit=_EXAMPLES))
            self._tell_dry()
            return
        report = interventions.request(self.verb, search, operator)
        self.stdout.write(f"{selection.name_of(self.verb)} does it: report {report}.")
        if not workers.is_any_alive():
            self.stderr.write("No worker is alive. It begins as soon as one is.")
        if wait:
            self._follow(report)

    def _follow(self, id_: UUID) -> None:
        shown = None
        while (report := _find(id_)).status not in FINAL:
            if report.progress != shown:
                shown = report.progress
                self.stdout.write(_said(shown) if shown else "")
            time.sleep(_LOOK_EVERY)
        if report.status != Status.OK:
            why = f": {report.error.message}" if report.error else "."
            raise CommandError(f"The operation is {report.status}{why}")
        self.stdout.write("Matched: {matched:,}, changed: {changed:,}, refused: {refused:,}.".format(**report.result))

    def _show(self, reports: list[Report]) -> None:
        for report in reports:
            code = f"  {report.error.code}" if report.error else ""
            self.stdout.write(
                f"  {report.id}  {report.action}  {report.status}  {report.created_at:%Y-%m-%d %H:%M}{code}"
            )

    def _tell_dry(self) -> None:
        self.stdout.write("Nothing was changed; --yes does it.")


def _said(progress: dict[str, Any]) -> str:
    said = "{current:,} of {total:,}".format(**progress)
    return f"{said}. {progress['message']}" if progress["message"] else said


def _id_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise CommandError(f"{text} is no id of a report.") from error


def _find(id_: UUID) -> Report:
    report = selectors.find(id_, owner=None)
    if report is None or report.parent is not None:
        raise CommandError(f"There is no report {id_} of an action.")
    return report


def _operator(person: str, reason: str) -> Operator:
    if len(reason) > LONGEST_REASON:
        raise CommandError(f"--reason has more than {LONGEST_REASON} characters.")
    name = f"{_account()} as {person}" if person else _account()
    return Operator(name[:255], Source.COMMAND, reason=reason)


def _account() -> str:
    """Return who runs this process to the operating system, whatever its environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in containers
        return f"uid {os.getuid()}"
