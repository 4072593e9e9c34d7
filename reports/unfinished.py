from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from reports.database import TABLE, as_uuid, fetch_all
from reports.models import Kind, Status


@dataclass(slots=True)
class Node:
    """A report of a tree, with its children in order. ``outcome_from`` holds its result, itself or one below it."""

    id: UUID
    kind: Kind
    status: Status
    outcome_from: UUID
    children: "list[Node]" = field(default_factory=list)

    @property
    def is_ok(self) -> bool:
        """Whether nothing of it is left to do."""
        return self.status == Status.OK


def read(root: UUID) -> Node:
    """Return the tree below ``root``, of an action that is being resumed."""
    rows = fetch_all(
        f"SELECT id, parent_id, kind, status, outcome_from FROM {TABLE} WHERE root_id = %s ORDER BY position",  # noqa: S608
        [root],
    )
    nodes = {
        as_uuid(id_): Node(as_uuid(id_), Kind(kind), Status(status), as_uuid(outcome_from or id_))
        for id_, _, kind, status, outcome_from in rows
    }
    for id_, parent, *_ in rows:
        if parent:
            nodes[as_uuid(parent)].children.append(nodes[as_uuid(id_)])
    return nodes[root]


def settle(root: Node) -> list[Node]:
    """Make ok, and return, the chains and groups whose children all became ok after the action had ended.

    A group without members is ok only when its turn has come, which is not decided here.
    """
    settled = []
    for node in _children_first(root):
        if not node.is_ok and node.children and all(child.is_ok for child in node.children):
            node.status = Status.OK
            node.outcome_from = node.children[-1].outcome_from if node.kind == Kind.CHAIN else node.id
            settled.append(node)
    return settled


def is_in_flight(root: Node) -> bool:
    """Tell whether a task of the tree is being executed, left over from before the action ended."""
    return any(node.kind == Kind.TASK and node.status == Status.RUNNING for node in _children_first(root))


def next_ones(root: Node) -> Iterator[Node]:
    """Yield what is to be started: in a chain the first child that is not ok, in a group every such child."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.is_ok or (node.kind == Kind.TASK and node.status == Status.RUNNING):
            continue
        yield node
        left = [child for child in node.children if not child.is_ok]
        waiting += left[:1] if node.kind == Kind.CHAIN else left


def _children_first(root: Node) -> Iterator[Node]:
    order, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting += node.children
    return reversed(order)
