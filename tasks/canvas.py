"""From Celery's signatures to the ledger's plan. What a plan cannot keep its promises for is refused here, by name."""

from collections.abc import Iterable, Sequence
from typing import Any

from celery import current_app
from celery.canvas import Signature, _chain, chord, group
from django.conf import settings

from reports.documents import dump
from reports.errors import PlanInvalidError
from reports.plan import ChainNode, GroupNode, Node, TaskNode

_TASK_OPTIONS = frozenset({"queue", "priority", "routing_key", "exchange", "time_limit", "soft_time_limit"})
_MAX_DEPTH = 50


def plan_of(signatures: Signature | Iterable[Signature]) -> ChainNode:
    """Return the plan that runs ``signatures`` one after another: what a ``@chainable`` returned, or a task.

    Raises:
        PlanInvalidError: it holds something a plan cannot have; the message names the offender.
        DocumentInvalidError, DocumentTooLargeError: the arguments of a signature are not JSON, or too large.

    """
    steps = (signatures,) if isinstance(signatures, Signature) else tuple(signatures)
    return _chain_of(steps, has_input=False, depth=0, what="a plan")


def _chain_of(steps: Sequence[Signature], *, has_input: bool, depth: int, what: str) -> ChainNode:
    if not steps:
        raise PlanInvalidError(f"{what} is empty; it needs at least one signature.")
    nodes = (
        _node_of(step, has_input=has_input or position > 0, depth=depth + 1) for position, step in enumerate(steps)
    )
    return ChainNode(tuple(nodes))


def _node_of(signature: Any, *, has_input: bool, depth: int) -> Node:
    if depth > _MAX_DEPTH:
        raise PlanInvalidError(f"The plan is nested more than {_MAX_DEPTH} deep.")
    signature = Signature.from_dict(signature, app=current_app) if type(signature) is dict else signature
    if not isinstance(signature, Signature):
        raise PlanInvalidError(f"A plan is made of signatures, not of {type(signature).__name__}.")
    if isinstance(signature, chord):
        _refuse_extras(signature, "chord", {"header", "body", "kwargs"})
        header = signature.tasks.tasks if isinstance(signature.tasks, group) else signature.tasks
        members = _group_of(header, has_input=has_input, depth=depth + 1)
        return ChainNode((members, _node_of(signature.body, has_input=True, depth=depth + 1)))
    if isinstance(signature, _chain):
        _refuse_extras(signature, "chain", {"tasks"})
        return _chain_of(signature.tasks, has_input=has_input, depth=depth, what="A chain")
    if isinstance(signature, group):
        _refuse_extras(signature, "group", {"tasks"})
        return _group_of(signature.tasks, has_input=has_input, depth=depth)
    if signature.subtask_type or str(signature.task).startswith("celery."):
        raise PlanInvalidError(f"{signature.task} is not supported in a plan; write it as a group or a chain of tasks.")
    return _task_of(signature, has_input=has_input)


def _group_of(members: Iterable[Signature], *, has_input: bool, depth: int) -> GroupNode:
    return GroupNode(tuple(_node_of(member, has_input=has_input, depth=depth + 1) for member in members))


def _task_of(signature: Signature, *, has_input: bool) -> TaskNode:
    name = str(signature.task)
    task = current_app.tasks.get(name)
    if task is None:
        raise PlanInvalidError(f"There is no task {name}; is its module imported by one of ACTION_MODULES?")
    if not getattr(task, "records_outcome", False):
        raise PlanInvalidError(f"The class of task {name} must inherit BaseErrorHandlerMixin.")
    takes_input = not signature.immutable
    _refuse_options(signature, name)
    _refuse_misfit(task, signature, has_input=has_input and takes_input)
    arguments = {"args": list(signature.args), "kwargs": dict(signature.kwargs)}
    options = {name: value for name, value in signature.options.items() if value is not None}
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
    own = set(signature.kwargs) - known | set(signature.kwargs.get("kwargs") or ())
    if own:
        raise PlanInvalidError(f"A {name} with keyword arguments ({_listed(own)}) is not supported.")
    _refuse_options(signature, f"a {name}", allowed=frozenset())


def _refuse_options(signature: Signature, name: str, *, allowed: frozenset[str] = _TASK_OPTIONS) -> None:
    unknown = {option for option, value in signature.options.items() if value not in (None, [], ())} - allowed
    if unknown & {"link", "link_error"}:
        raise PlanInvalidError(
            f"Callbacks through {_listed(unknown & {'link', 'link_error'})} on {name} are not supported:"
            " the next step of a chain runs on success, and a failure is kept in the report."
        )
    if unknown:
        raise PlanInvalidError(f"The option {_listed(unknown)} of {name} is not supported in a plan.")


def _refuse_misfit(task: Any, signature: Signature, *, has_input: bool) -> None:
    # Celery checks the arguments when it publishes; here nothing is published with arguments, so check while building.
    given = (None, *signature.args) if has_input else tuple(signature.args)
    try:
        task.__header__(*given, **signature.kwargs)
    except TypeError as error:
        suffix = " (the first one is the previous task's result; use .si() to leave it out)" if has_input else ""
        raise PlanInvalidError(f"{signature.task} cannot be called like this{suffix}: {error}") from error


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
