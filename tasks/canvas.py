"""From Celery's signatures to the ledger's plan. What a plan cannot keep its promises for is refused here, by name."""

from collections.abc import Callable, Iterable, Iterator
from inspect import signature as signature_of
from typing import Any

from celery import current_app
from celery.canvas import Signature, _chain, chord, group
from django.conf import settings

from reports.documents import dump
from reports.errors import PlanInvalidError
from reports.plan import ChainNode, GroupNode, Node, TaskNode
from tasks.chainable import described

# Groups in each other. Chains may be as long as they like.
_MAX_DEPTH = 50


def plan_of(signatures: Signature | Iterable[Signature]) -> ChainNode:
    """Return the plan that runs ``signatures`` one after another: what a ``@chainable`` returned, or a task.

    Raises:
        PlanInvalidError: it holds something a plan cannot have; the message names the offender.
        DocumentInvalidError, DocumentTooLargeError: the arguments of a signature are not JSON, or too large.

    """
    steps = (signatures,) if isinstance(signatures, Signature) else tuple(signatures)
    if not steps:
        raise PlanInvalidError("A plan is empty; it needs at least one signature.")
    return _chain_of(steps, has_input=False, depth=0)


def _chain_of(steps: Iterable[Any], *, has_input: bool, depth: int) -> ChainNode:
    nodes = (
        _node_of(step, has_input=has_input or position > 0, depth=depth)
        for position, step in enumerate(_unrolled(steps))
    )
    return ChainNode(tuple(nodes))


def _unrolled(steps: Iterable[Any]) -> Iterator[Signature]:
    """Yield the steps of a chain, those of chains in it in their place, and chords as a group and what follows it.

    Celery keeps the rest of a chain in the body of every chord, so that a long one would be a deep one.
    """
    left = list(steps)[::-1]
    while left:
        step = _signature(left.pop())
        if isinstance(step, chord):
            _refuse_extras(step, "chord", {"header", "body", "kwargs"})
            if step.body is None:
                raise PlanInvalidError("A chord without a body is not supported; write it as a group.")
            left += [step.body, step.tasks if isinstance(step.tasks, group) else group(list(step.tasks))]
        elif isinstance(step, _chain):
            _refuse_extras(step, "chain", {"tasks"})
            if not step.tasks:
                raise PlanInvalidError("A chain is empty; it needs at least one signature.")
            left += list(step.tasks)[::-1]
        else:
            yield step


def _node_of(signature: Any, *, has_input: bool, depth: int) -> Node:
    if depth > _MAX_DEPTH:
        raise PlanInvalidError(f"The plan has groups in each other, more than {_MAX_DEPTH} deep.")
    signature = _signature(signature)
    if isinstance(signature, chord | _chain):
        return _chain_of([signature], has_input=has_input, depth=depth)
    if isinstance(signature, group):
        _refuse_extras(signature, "group", {"tasks"})
        members = (_node_of(member, has_input=has_input, depth=depth + 1) for member in signature.tasks)
        return GroupNode(tuple(members))
    if signature.subtask_type or str(signature.task).startswith("celery."):
        raise PlanInvalidError(f"{signature.task} is not supported in a plan; write it as a group or a chain of tasks.")
    return _task_of(signature, has_input=has_input)


def _signature(value: Any) -> Signature:
    # Celery's own operations leave a serialised signature here and there.
    signature = Signature.from_dict(value, app=current_app) if type(value) is dict else value
    if not isinstance(signature, Signature):
        raise PlanInvalidError(f"A plan is made of signatures, not of {described(value)}.")
    return signature


def _task_of(signature: Signature, *, has_input: bool) -> TaskNode:
    name = str(signature.task)
    task = current_app.tasks.get(name)
    if task is None:
        raise PlanInvalidError(f"There is no task {name}; is its module imported by one of ACTION_MODULES?")
    if not getattr(task, "records_outcome", False):
        raise PlanInvalidError(f"The class of task {name} must inherit BaseErrorHandlerMixin.")
    takes_input = not signature.immutable
    _refuse_options(signature, name, _OPTIONS_OF_TASKS)
    _refuse_misfit(task, signature, has_input=has_input and takes_input)
    arguments = {"args": list(signature.args), "kwargs": dict(signature.kwargs)}
    options = {name: value for name, value in signature.options.items() if _says_something(value)}
    return TaskNode(
        task=name,
        arguments=_document(arguments, f"The arguments of {name}"),
        options=_document(options, f"The options of {name}") if options else None,
        takes_input=takes_input,
    )


def _document(value: Any, what: str) -> str:
    return dump(value, limit=settings.REPORT_MAX_PARAMETERS_BYTES, what=what)


def _refuse_extras(signature: Signature, name: str, known: set[str]) -> None:
    if signature.args:
        raise PlanInvalidError(f"A {name} with arguments of its own is not supported; give them to its first tasks.")
    if signature.immutable:
        raise PlanInvalidError(f"A {name} that is immutable as a whole is not supported; use .si() on its first tasks.")
    own = set(signature.kwargs) - known | set(signature.kwargs.get("kwargs") or ())
    if own:
        raise PlanInvalidError(f"A {name} with keyword arguments ({_listed(own)}) is not supported.")
    _refuse_options(signature, f"a {name}", {})


def _refuse_options(signature: Signature, name: str, allowed: dict[str, Callable[[Any], bool]]) -> None:
    options = {option: value for option, value in signature.options.items() if _says_something(value)}
    callbacks = options.keys() & {"link", "link_error"}
    if callbacks:
        raise PlanInvalidError(
            f"Callbacks through {_listed(callbacks)} on {name} are not supported:"
            " the next step of a chain runs on success, and a failure is kept in the report."
        )
    unknown = options.keys() - allowed
    if unknown:
        raise PlanInvalidError(f"The option {_listed(unknown)} of {name} is not supported in a plan.")
    for option, value in options.items():
        if not allowed[option](value):
            raise PlanInvalidError(f"The option {option} of {name} cannot be {value!r}.")


def _refuse_misfit(task: Any, signature: Signature, *, has_input: bool) -> None:
    # Celery checks the arguments when it publishes; here nothing is published with arguments, so check while building.
    given = (None, *signature.args) if has_input else tuple(signature.args)
    accept = getattr(task, "__header__", None) or signature_of(task.run).bind  # a class has no header
    try:
        accept(*given, **signature.kwargs)
    except TypeError as error:
        suffix = " (the first one is the previous task's result; use .si() to leave it out)" if has_input else ""
        raise PlanInvalidError(f"{signature.task} cannot be called like this{suffix}: {error}") from error


def _says_something(value: Any) -> bool:
    return value is not None and value not in ([], ())


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_priority(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MAX_PRIORITY


def _is_duration(value: Any) -> bool:
    return type(value) in (int, float) and value > 0


_MAX_PRIORITY = 255

# What a broker would choke on must not get that far: nobody could tell it from a broker that is away.
_OPTIONS_OF_TASKS: dict[str, Callable[[Any], bool]] = {
    "queue": _is_name,
    "exchange": _is_name,
    "routing_key": _is_name,
    "priority": _is_priority,
    "time_limit": _is_duration,
    "soft_time_limit": _is_duration,
}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
