"""The actions that clients may ask for: every class of an action joins when it is defined."""

import warnings
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from celery.exceptions import DuplicateTaskNameWarning  # type: ignore[attr-defined]  # newer than its types
from django.core.exceptions import ImproperlyConfigured

from api import declaration
from reports.codes import ErrorCode
from services.metrics import counted
from tasks import declaration as tasks

if TYPE_CHECKING:
    from api.actions import ActionApi

_actions: "dict[str, type[ActionApi]]" = {}


def register(action: "type[ActionApi]") -> None:
    """Add an action. Raises ActionMisdeclaredError where its name, or what a code of it means, is another's."""
    for code in action.error_codes:
        for other in _actions.values():
            if any(theirs.code == code.code and theirs != code for theirs in other.error_codes):
                raise declaration.contradiction(action, code, other)
    other = _actions.get(action.name, action)
    if other is not action:
        raise declaration.duplicate(action, other)
    together = {**_actions, action.name: action}
    for suffix in declaration.DERIVED_SUFFIXES:
        for name in (action.name, action.name.removesuffix(suffix)):
            derived = together.get(name + suffix)
            if derived and name in together:
                raise declaration.ambiguous(derived, together[name])
    _actions[action.name] = action
    counted.declare(action.name)


def actions() -> "list[type[ActionApi]]":
    """Return all actions in the order of their names."""
    return sorted(_actions.values(), key=lambda action: action.name)


def find(name: str) -> "type[ActionApi] | None":
    """Return the action of this name, if there is one (still)."""
    return _actions.get(name)


def rival_of(name: str) -> "type[ActionApi] | None":
    """Return the action that keeps a new one from having this name, ``None`` where it is free."""
    rivals = {name}
    for suffix in declaration.DERIVED_SUFFIXES:
        rivals |= {name + suffix, name.removesuffix(suffix)}
    return next((action for action in actions() if action.name in rivals), None)


def error_codes() -> dict[ErrorCode, list[str]]:
    """Return the codes that actions declare, in order, each with the names of its actions."""
    codes: dict[ErrorCode, list[str]] = {}
    for action in actions():
        for code in action.error_codes:
            codes.setdefault(code, []).append(action.name)
    return dict(sorted(codes.items(), key=lambda item: item[0].code))


def load(modules: Iterable[str]) -> None:
    """Import the modules that define actions, and see that everything in them can be relied on.

    Raises:
        ImproperlyConfigured: a module is not there, or an action or a task is declared wrongly.

    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", DuplicateTaskNameWarning)
        try:
            for name in modules:
                _import(name)
            tasks.check_all()
        except DuplicateTaskNameWarning as warning:
            raise tasks.duplicate(warning) from warning
    for action in actions():
        declaration.check_tasks(action)


def _import(name: str) -> None:
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise
        raise ImproperlyConfigured(
            f"ACTION_MODULES names {name}, and there is no module {error.name}."
            " Correct the name, or install the package that has it."
        ) from error
