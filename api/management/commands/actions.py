from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from api import catalogue, restrictions
from api.actions import ActionApi
from services import queues
from tasks import policy
from tasks.reach import AnyTask, Reach

_HEADINGS = ("task", "queue", "time limits", "worker lost")
_WIDTH = 100


class Command(BaseCommand):
    help = "List the actions of this deployment: who may ask for them, what they run, where, how long and how often."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("names", nargs="*", metavar="action", help="Only these.")

    def handle(self, *args: Any, names: list[str], **options: Any) -> None:
        """Print one block for each action."""
        del args, options
        catalogue.load(settings.ACTION_MODULES)
        for action in _chosen(names):
            self.stdout.write(self.style.MIGRATE_HEADING(action.name))
            for line in _block(action):
                self.stdout.write(f"  {line}".rstrip())
            self.stdout.write("")


def _chosen(names: list[str]) -> list[type[ActionApi]]:
    for name in names:
        if catalogue.find(name) is None:
            known = ", ".join(action.name for action in catalogue.actions())
            raise CommandError(f"There is no action {name}. There are {known or 'none'}.")
    return [action for action in catalogue.actions() if not names or action.name in names]


def _block(action: type[ActionApi]) -> Iterable[str]:
    tasks = Reach(action.canvas).tasks
    yield from _fact("does", " ".join(action.description.partition("\n\n")[0].split()))
    yield from _fact("declared by", f"{action.__module__}.{action.__qualname__}")
    yield from _fact("who may", _who_may(action))
    yield from _fact("fails with", ", ".join(code.code for code in action.error_codes) or "no code of its own")
    yield from _fact("time budget", f"{action.time_budget:g} s" if action.time_budget else policy.NONE)
    yield from _table([_HEADINGS, *map(_row, tasks)])
    for retries, names in _by_retries(tasks).items():
        yield from _fact("retries", f"{', '.join(names)}: {retries}")


def _who_may(action: type[ActionApi]) -> str:
    permissions = [_permission_name(permission) for permission in action.permission_classes]
    if restrictions.is_restricted(action):
        permissions.append(f"the permission {restrictions.codename_of(action.name)}")
    return " and ".join(permissions) or "everybody"


def _row(task: AnyTask) -> Sequence[str]:
    name = str(task.name)
    return (name, queues.name_for(name), policy.limits_of(task), policy.loss_of(task))


def _by_retries(tasks: Iterable[AnyTask]) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for task in tasks:
        named.setdefault(policy.retries_of(task), []).append(str(task.name))
    return named


def _fact(name: str, value: str) -> Iterable[str]:
    for number, line in enumerate(wrap(value, _WIDTH)):
        yield f"{'' if number else name:<12} {line}"


def _table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))


def _permission_name(permission: Any) -> str:
    """Return a permission's name; DRF lets one write ``IsAdminUser | ~IsOwner`` as well."""
    if not hasattr(permission, "operator_class"):
        return str(permission.__name__)
    word = permission.operator_class.__name__.lower()
    first = _permission_name(permission.op1_class)
    return f"({first} {word} {_permission_name(permission.op2_class)})" if word != "not" else f"not {first}"
