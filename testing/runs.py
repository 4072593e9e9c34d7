"""What became of an action: what its report says, and those of its tasks."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from uuid import UUID

from rest_framework.exceptions import ValidationError

from api.actions import ActionApi
from api.strictness import make_strict
from api.validation import errors_of
from reports import selectors
from reports.codes import ENGINE_CODES
from reports.models import Status
from reports.selectors import Error, Report

_PAGE = 100_000


class Run:
    """An action that was accepted. Everything is read anew each time it is asked for, and is never changed here."""

    def __init__(self, id_: UUID, action: type[ActionApi] | None = None) -> None:
        self.id = id_
        self._action = action

    @property
    def report(self) -> Report:
        """The action's report, as its readers see it: ``.status``, ``.result``, ``.error``, ``.tasks_ok``, …"""
        return _find(self.id)

    @property
    def status(self) -> Status:
        """Where the action stands."""
        return self.report.status

    @property
    def tasks(self) -> list[Report]:
        """The reports of the tasks, in the order in which they were planned: ``.task``, ``.status``, ``.attempts``, …

        A task that returned signatures is there as well, before those.
        """
        return [_find(below.id) for below in self._below() if below.task]

    def task(self, name: str) -> Report:
        """Return the report of the only task of this name. Raises AssertionError where there are more, or none."""
        found = [task for task in self.tasks if task.task == name]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} tasks are {name}.\n{self}")
        return found[0]

    def statuses(self) -> list[tuple[str, str]]:
        """Return name and status of each task, in the order in which they were planned."""
        return [(task.task, str(task.status)) for task in self.tasks]

    def expect_ok(self) -> Any:
        """Return the result.

        Raises:
            AssertionError: the action is not ok, or its result is not what its OutputSerializer tells clients.

        """
        report = self.report
        if report.status != Status.OK:
            raise AssertionError(f"It should be ok.\n{self}\n{report.traceback}".rstrip())
        for fault in _misfits(self._action, report.result):
            raise AssertionError(
                f"Change OutputSerializer, or the result: {fault['pointer']} is not as declared. {fault['detail']}\n"
                f"{report.result!r}"
            )
        return report.result

    def expect_failed(self, code: str) -> Error:
        """Return the error.

        Raises:
            AssertionError: the action has not failed, or with another code, or with one that it does not declare.

        """
        report = self.report
        if report.error is None or report.error.code != code:
            raise AssertionError(f"It should have failed with {code}.\n{self}\n{report.traceback}".rstrip())
        if self._action and code not in ENGINE_CODES and code not in {c.code for c in self._action.error_codes}:
            raise AssertionError(f"Add the exception with the code {code} to errors of {self._action.__qualname__}.")
        return report.error

    def __str__(self) -> str:
        """Draw the tree, a line for each report."""
        root = self.report
        children: dict[UUID | None, list[Report]] = {}
        for below in sorted(self._below(), key=lambda report: report.position):
            children.setdefault(below.parent, []).append(below)
        return "\n".join(_lines(root, root.action, children))

    def _below(self) -> list[Report]:
        return selectors.list_tree(self.id, owner=None, limit=_PAGE)


def _find(id_: UUID) -> Report:
    report = selectors.find(id_, owner=None)
    if report is None:
        raise LookupError(f"There is no report {id_}.")
    return report


def _lines(report: Report, name: str, children: dict[UUID | None, list[Report]], depth: int = 0) -> Iterator[str]:
    yield f"{'  ' * depth}{name} {report.status}{_told(report)}"
    for child in children.get(report.id, ()):
        yield from _lines(child, child.task or child.kind, children, depth + 1)


def _told(report: Report) -> str:
    attempts = f", {report.attempts} attempts" if report.attempts > 1 else ""
    return f"{attempts}: {report.error.code}, {report.error.message}" if report.error else attempts


def _misfits(action: type[ActionApi] | None, result: Any) -> list[dict[str, str]]:
    """Return in what a result differs from what is declared. More than is declared does no client harm."""
    if action is None:
        return []
    field = deepcopy(action.result)
    try:
        make_strict(field)
    except ValueError:  # it has fields that are made for showing alone
        return []
    try:
        field.run_validation(result)
    except ValidationError as error:
        return [fault for fault in errors_of(error.detail) if fault["code"] != "unknown_field"]
    return []
