"""What an action's class must say. What is wrong with it stops the start, in one line that says what to change."""

import inspect
import re
from typing import TYPE_CHECKING, Any, TypeGuard

from django.core.exceptions import ImproperlyConfigured
from rest_framework import serializers
from rest_framework.fields import Field, empty

from api.parameters import LONGEST_FILTER, can_be_filtered
from api.strictness import make_strict
from reports.codes import ENGINE_CODES, ErrorCode
from services.selection import OPERATIONS
from tasks.chainable import is_chainable
from tasks.declaration import check_canvas
from tasks.reach import Reach

if TYPE_CHECKING:
    from api.actions import ActionApi

LONGEST_NAME = 92  # so that the name of the permission that stands for it is not too long either
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*")
_CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST_CODE = 100
# The API's own operations and schemas; an action of that name would take theirs in the OpenAPI document.
_RESERVED_NAMES = frozenset(
    {
        *("any", "task"),
        *("cancel-report", "get-report", "list-actions", "list-report-tasks", "list-reports", "retry-report"),
        "watch-report",
        # What operators do to many reports at once is an action as well, which no client asks for.
        *OPERATIONS,
    }
)
# What is put behind an action's name in the OpenAPI document; an action of that name would take it.
DERIVED_SUFFIXES = ("-batch", "-batch-item")
_LONGEST_TIME_BUDGET = 366 * 24 * 3600.0
_LIMITS = {"soft_time_limit", "time_limit"}

_NAMED_KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class ActionMisdeclaredError(ImproperlyConfigured):
    """The class of an action does not say what it must, or contradicts itself."""


def checked_name(cls: type) -> str:
    """Return the action's name. Raises ActionMisdeclaredError."""
    name = cls.__dict__.get("name")
    if change := change_of_name(name):
        raise _misdeclared(cls, change)
    return str(name)


def change_of_name(name: Any) -> str:
    """Return what to change about a name that no action can have; empty where one can."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        return f'give it a name of lower-case words with hyphens, such as name = "sync-invoices", not {name!r}'
    return f"give it another name; {name!r} stands for something else in the API" if name in _RESERVED_NAMES else ""


def checked_description(cls: type) -> str:
    """Return the action's docstring, which clients read. Raises ActionMisdeclaredError."""
    description = inspect.cleandoc(cls.__dict__.get("__doc__") or "").strip()
    if not description:
        raise _misdeclared(cls, "give it a docstring that tells clients what the action does")
    return description


def checked_input(cls: type, canvas: Any) -> serializers.Serializer:
    """Return the serializer that validates the action's parameters, as strict as its OpenAPI schema.

    Raises ActionMisdeclaredError, also where ``canvas`` could not be called with what the serializer lets through.
    """
    declared = getattr(cls, "InputSerializer", None)
    if not is_serializer_class(declared):
        raise _misdeclared(cls, "give it a class InputSerializer(serializers.Serializer), empty without parameters")
    serializer = declared()
    try:
        make_strict(serializer)
    except ValueError as error:
        raise _misdeclared(cls, f"change InputSerializer: {error}") from error
    _refuse_misfit(cls, serializer, canvas)
    return serializer


def checked_output(cls: type) -> Field:
    """Return the field that describes the action's result. Raises ActionMisdeclaredError."""
    declared = getattr(cls, "OutputSerializer", None)
    if is_serializer_class(declared):
        return declared()
    if isinstance(declared, Field):
        return declared
    raise _misdeclared(
        cls, "give it an OutputSerializer that describes its result: a Serializer class, or a field such as ListField()"
    )


def checked_filterable(cls: type, serializer: serializers.Serializer) -> tuple[str, ...]:
    """Return the parameters that the action's reports can be found by. Raises ActionMisdeclaredError."""
    declared = getattr(cls, "filterable", ())
    if not isinstance(declared, tuple | list) or not all(isinstance(name, str) for name in declared):
        raise _misdeclared(cls, f'give it filterable = ("<field>", …), names of fields, not {declared!r}')
    for name in declared:
        if name not in serializer.fields:
            raise _misdeclared(cls, f"filterable names {name}; InputSerializer has no such field")
        if not can_be_filtered(serializer.fields[name]):
            raise _misdeclared(
                cls,
                f"filterable names {name}; take fields with one short value, a text with a max_length up to"
                f" {LONGEST_FILTER}",
            )
    return tuple(declared)


def checked_example(cls: type, parameters: serializers.Serializer) -> dict[str, Any] | None:
    """Return the parameters that the documentation shows; empty ones where none has to be given.

    Raises ActionMisdeclaredError where a field is missing or unknown. Values are not looked at: a validator may ask
    the database.
    """
    required = {name for name, field in parameters.fields.items() if field.required}
    declared = getattr(cls, "example", None)
    if declared is None:
        return None if required else {}
    if not isinstance(declared, dict) or not required <= declared.keys() <= parameters.fields.keys():
        raise _misdeclared(cls, f"give it an example that has the fields of InputSerializer, not {declared!r}")
    return declared


def check_time_budget(cls: type) -> None:
    """Raise ActionMisdeclaredError for a time budget that no action can have."""
    declared = getattr(cls, "time_budget", None)
    if declared is None:
        return
    is_number = isinstance(declared, int | float) and not isinstance(declared, bool)
    if not is_number or not 0 < declared <= _LONGEST_TIME_BUDGET:
        raise _misdeclared(
            cls, f"give it a time_budget in seconds, above 0 and up to a year, or None, not {declared!r}"
        )


def check_restricted(cls: type) -> None:
    """Raise ActionMisdeclaredError for a restriction that is neither true nor false."""
    declared = getattr(cls, "restricted", None)
    if not isinstance(declared, bool):
        raise _misdeclared(cls, f"give it restricted = True or False, not {declared!r}")


def checked_errors(cls: type) -> tuple[ErrorCode, ...]:
    """Return the codes that the action fails with, in the order of their names. Raises ActionMisdeclaredError."""
    declared = getattr(cls, "errors", ())
    if not isinstance(declared, tuple | list):
        raise _misdeclared(cls, f"give it errors = (<classes of exceptions>, …), not {declared!r}")
    codes: dict[str, ErrorCode] = {}
    for error in declared:
        known = _checked_error(cls, error)
        if codes.setdefault(known.code, known) != known:
            raise _misdeclared(cls, f"give {error.__name__} another code; {known.code!r} is another error's already")
    return tuple(codes[code] for code in sorted(codes))


def _checked_error(cls: type, error: Any) -> ErrorCode:
    if not isinstance(error, type) or not issubclass(error, Exception):
        raise _misdeclared(cls, f"change errors: {error!r} is no class of exceptions")
    code, retryable = getattr(error, "code", None), getattr(error, "retryable", None)
    if not isinstance(code, str) or not _CODE.fullmatch(code) or len(code) > _LONGEST_CODE:
        raise _misdeclared(
            cls, f'give {error.__name__} a code of lower-case words, such as code = "customer_not_found", not {code!r}'
        )
    if code in ENGINE_CODES:
        raise _misdeclared(cls, f"give {error.__name__} another code; every action may fail with {code!r} already")
    if retryable is not None and not isinstance(retryable, bool):
        raise _misdeclared(cls, f"give {error.__name__} retryable = True, False or None, not {retryable!r}")
    meaning = inspect.cleandoc(error.__doc__ or "").partition("\n\n")[0]
    if not meaning:
        raise _misdeclared(cls, f"give {error.__name__} a docstring that tells clients what {code} means")
    return ErrorCode(code, retryable, " ".join(meaning.split()))


def check_tasks(cls: "type[ActionApi]") -> None:
    """Raise for an action whose canvas names a task that cannot be run, or one that outlasts the action's time budget.

    Raises:
        ActionMisdeclaredError, TaskMisdeclaredError: which of them, and what to change.

    """
    reach = Reach(cls.canvas)
    check_canvas(cls.canvas, reach)
    if cls.time_budget is None or _LIMITS & reach.names:  # signatures have limits of their own, it seems
        return
    for task in reach.tasks:
        limit = task.soft_time_limit or task.time_limit
        if limit and limit > cls.time_budget:
            raise _misdeclared(
                cls,
                f"give it a time_budget of at least {limit:g} s, the time limit of its task {task.name},"
                " or that task a shorter one",
            )


def checked_canvas(cls: type) -> Any:
    """Return the action's ``@chainable``. Raises ActionMisdeclaredError."""
    canvas = cls.__dict__.get("canvas")
    if isinstance(canvas, staticmethod):
        canvas = canvas.__func__
    if not is_chainable(canvas):
        raise _misdeclared(cls, f"give it canvas = <a function decorated with @chainable>, not {canvas!r}")
    return canvas


def duplicate(cls: type, other: type) -> ActionMisdeclaredError:
    """Return the error for two classes with one name."""
    return _misdeclared(cls, f"give it another name; {cls.__dict__['name']!r} is {_named(other)} already")


def ambiguous(cls: type, other: type) -> ActionMisdeclaredError:
    """Return the error for a class with a name that stands for something of another action."""
    taken = f"{cls.__dict__['name']!r} stands for the batches of {_named(other)}"
    return _misdeclared(cls, f"give it another name; {taken}")


def contradiction(cls: type, code: ErrorCode, other: type) -> ActionMisdeclaredError:
    """Return the error for a code that means one thing here and another thing in another action."""
    return _misdeclared(cls, f"give its error with the code {code.code!r} another one; that of {_named(other)} differs")


def _refuse_misfit(cls: type, serializer: serializers.Serializer, canvas: Any) -> None:
    parameters = inspect.signature(canvas).parameters.values()
    named = {parameter.name: parameter for parameter in parameters if parameter.kind in _NAMED_KINDS}
    takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    called = f"canvas {canvas.__name__}"
    for parameter in parameters:
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            raise _misdeclared(cls, f"let {called} take {parameter.name} by name")
        required = parameter.kind in _NAMED_KINDS and parameter.default is inspect.Parameter.empty
        field = serializer.fields.get(parameter.name)
        if required and field is None:
            raise _misdeclared(cls, f"{called} needs {parameter.name}; add that field to InputSerializer")
        if required and field is not None and not field.required and field.default is empty:
            raise _misdeclared(
                cls,
                f"{called} needs {parameter.name}; make that field required, or give it a default",
            )
    for field_name in serializer.fields.keys():  # noqa: SIM118  its iterator is typed as one of fields
        if field_name not in named and not takes_any:
            raise _misdeclared(cls, f"{called} does not take {field_name}; remove that field from InputSerializer")


def is_serializer_class(declared: Any) -> TypeGuard[type[serializers.Serializer]]:
    """Tell whether ``declared`` is the class of a serializer, not an instance."""
    return isinstance(declared, type) and issubclass(declared, serializers.Serializer)


def _misdeclared(cls: type, change: str) -> ActionMisdeclaredError:
    return ActionMisdeclaredError(f"{_named(cls)}: {change}.")


def _named(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
