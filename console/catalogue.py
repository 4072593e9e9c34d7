"""What the pages know of the actions that there are; config tells them, which knows the API as well."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Value = str | int | bool


@dataclass(frozen=True, slots=True)
class KnownAction:
    """An action. ``filterable`` are the parameters that its reports are found by, each with what reads its text.

    That raises ValueError for what can be no value of the parameter.
    """

    name: str
    filterable: Mapping[str, Callable[[str], Value]] = field(default_factory=dict)


_known: dict[str, KnownAction] = {}


def know(actions: list[KnownAction]) -> None:
    """Know these actions from now on, and no others."""
    _known.clear()
    _known.update({action.name: action for action in actions})


def names() -> list[str]:
    """Return the names of all actions, in order."""
    return sorted(_known)


def filterable(action: str | None) -> Mapping[str, Callable[[str], Value]]:
    """Return the parameters that reports of an action are found by; without one, those that any action has."""
    if action is not None:
        return _known[action].filterable if action in _known else {}
    return {name: read for known in _known.values() for name, read in known.filterable.items()}
