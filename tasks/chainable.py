from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec

from celery import Task
from celery.canvas import Signature

Parameters = ParamSpec("Parameters")
Signatures = tuple[Signature, ...]


def chainable(function: Callable[Parameters, Signature | Iterable[Signature]]) -> Callable[Parameters, Signatures]:
    """Mark a function that builds part of an action: its signatures, to be run one after another.

    The function returns one signature or an iterable of them, a generator too; the decorated one returns a tuple. It
    never dispatches anything, so that chainables compose: ``(*inner(), other.s())``, ``chain(*inner(), other.s())``,
    ``group(chain(*inner()), …)``.

    Raises, when the decorated function is called:
        TypeError: the function returned something else, or dispatched instead of returning signatures.
        ValueError: it returned no signature at all.

    """

    @wraps(function)
    def build(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Signatures:
        return _checked(function.__qualname__, function(*args, **kwargs))

    build.is_chainable = True  # type: ignore[attr-defined]
    return build


def is_chainable(function: Any) -> bool:
    """Tell whether ``function`` was decorated with :func:`chainable`."""
    return bool(getattr(function, "is_chainable", False))


def _checked(name: str, built: object) -> Signatures:
    # A signature is a dict and would iterate over its keys.
    if isinstance(built, Signature):
        return (built,)
    # The proxy of a task claims to be iterable.
    if not isinstance(built, Iterable) or isinstance(built, str | bytes | dict | Task):
        raise TypeError(
            f"@chainable {name} must return a signature or an iterable of signatures, not {described(built)}."
        )
    signatures = tuple(built)
    for position, signature in enumerate(signatures):
        if not isinstance(signature, Signature):
            raise TypeError(f"@chainable {name} must return signatures; item {position} is {described(signature)}.")
    if not signatures:
        raise ValueError(f"@chainable {name} returned no signatures: a plan needs at least one.")
    return signatures


def described(value: object) -> str:
    """Return what was given in place of a signature, in words that end a sentence."""
    if value is None:
        return "None"
    if callable(value) and hasattr(value, "delay"):
        return f"the task {value!r} itself; call .s() or .si() on it"
    if hasattr(value, "task_id"):
        return "the result of tasks that it dispatched itself; return their signatures instead"
    return f"a value of type {type(value).__name__}"
