"""Which tasks an action may run, as far as its code tells before it runs: those that its canvas names, and so on.

A task that the code finds by a computed name is missed. So this serves people and checks, never the engine.
"""

import inspect
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from celery import Task, current_app

from tasks.chainable import is_chainable

AnyTask = Task[Any, Any]


class Reach:
    """What a ``@chainable`` may run.

    ``tasks`` are those that it names, it and the functions that it calls, then those that the functions of these tasks
    name, and so on. ``names`` are all names in that code: of variables, attributes and keyword arguments.
    """

    def __init__(self, canvas: Callable[..., Any]) -> None:
        self.tasks: list[AnyTask] = []
        self.names: set[str] = set()
        self._seen: set[FunctionType] = set()
        self._follow(canvas)
        for task in self.tasks:  # there are more of them while it goes on
            self._follow(getattr(task, "_orig_run", task.run))  # Celery's own retries are wrapped around it

    def _follow(self, function: Any) -> None:
        plain = inspect.unwrap(getattr(function, "__func__", function))
        if not isinstance(plain, FunctionType) or plain in self._seen:
            return
        self._seen.add(plain)
        self.names |= _Words(plain.__code__).names.keys()
        for value in _named_by(plain):
            if isinstance(value, Task):
                self._add(value)
            elif is_chainable(value) or _stands_beside(value, plain):
                self._follow(value)

    def _add(self, task: Any) -> None:
        # A decorator leaves a proxy in the place of the task.
        real: AnyTask = task._get_current_object() if hasattr(task, "_get_current_object") else task  # noqa: SLF001
        if real not in self.tasks:
            self.tasks.append(real)


def _named_by(function: FunctionType) -> Iterator[Any]:
    """Yield what a function's code names: variables from around it, attributes of modules, and tasks by their names."""
    words = _Words(function.__code__)
    around = {**function.__globals__, **dict(_closure_of(function))}
    modules = [vars(around[name]) for name in words.names if isinstance(around.get(name), ModuleType)]
    for name in words.names:
        for place in (around, *modules):
            if name in place:
                yield place[name]
    for text in words.texts:
        if text in current_app.tasks:
            yield current_app.tasks[text]


class _Words:
    """The names and texts in a piece of code, in functions and comprehensions inside it too, in their order."""

    def __init__(self, code: CodeType) -> None:
        self.names: dict[str, None] = dict.fromkeys((*code.co_names, *code.co_freevars))
        self.texts: dict[str, None] = {}
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                inner = _Words(constant)
                self.names |= inner.names
                self.texts |= inner.texts
            elif isinstance(constant, str):
                self.texts[constant] = None
            elif isinstance(constant, tuple):  # the names of a call's keyword arguments
                self.names |= dict.fromkeys(name for name in constant if isinstance(name, str))


def _closure_of(function: FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # it has no value yet
            continue


def _stands_beside(value: Any, function: FunctionType) -> bool:
    return isinstance(value, FunctionType) and value.__module__ == function.__module__
