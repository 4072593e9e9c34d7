"""The plan of an action: what its report's tree will look like, before it has ids."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from reports.models import Kind


@dataclass(frozen=True, slots=True)
class TaskNode:
    """One task. ``arguments`` and ``options`` are JSON texts; ``takes_input`` is ``.s()``, not ``.si()``."""

    task: str
    arguments: str
    options: str | None = None
    takes_input: bool = True


@dataclass(frozen=True, slots=True)
class ChainNode:
    children: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class GroupNode:
    children: "tuple[Node, ...]"


Node = TaskNode | ChainNode | GroupNode


@dataclass(frozen=True, slots=True)
class Placed:
    """A node with its place in the tree of reports.

    ``starts_with`` is the topmost report whose start starts this one too, so that a hand-over starts a whole subtree
    by one update. ``input_from`` is the report whose result is a task's first argument.
    """

    id: UUID
    parent: UUID
    position: int
    kind: Kind
    starts_with: UUID
    input_from: UUID | None
    task: str = ""
    arguments: str | None = None
    options: str | None = None
    children_total: int = 0


def place(plan: ChainNode, parent: UUID) -> Iterator[Placed]:
    """Lay the children of ``plan`` out below the report ``parent``, parents before children."""
    yield from _place_children(plan, parent, starts_with=parent, input_from=None)


def count_tasks(node: Node) -> int:
    """Return how many tasks a plan has."""
    return 1 if isinstance(node, TaskNode) else sum(map(count_tasks, node.children))


def _place_children(
    node: ChainNode | GroupNode, parent: UUID, *, starts_with: UUID, input_from: UUID | None
) -> Iterator[Placed]:
    for position, child in enumerate(node.children):
        id_ = uuid7()
        waits = isinstance(node, ChainNode) and position > 0
        child_starts_with = id_ if waits else starts_with
        yield from _place(child, id_, parent, position, child_starts_with, input_from)
        if isinstance(node, ChainNode):
            input_from = id_


def _place(  # noqa: PLR0913  a node's place has as many sides
    node: Node, id_: UUID, parent: UUID, position: int, starts_with: UUID, input_from: UUID | None
) -> Iterator[Placed]:
    if isinstance(node, TaskNode):
        yield Placed(
            id=id_,
            parent=parent,
            position=position,
            kind=Kind.TASK,
            starts_with=starts_with,
            input_from=input_from if node.takes_input else None,
            task=node.task,
            arguments=node.arguments,
            options=node.options,
        )
        return
    kind = Kind.CHAIN if isinstance(node, ChainNode) else Kind.GROUP
    yield Placed(id_, parent, position, kind, starts_with, None, children_total=len(node.children))
    yield from _place_children(node, id_, starts_with=starts_with, input_from=input_from)
