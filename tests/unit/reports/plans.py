"""Plans written as they are drawn, and random ones."""

import json
from typing import Any

from hypothesis import strategies as st

from reports.plan import ChainNode, GroupNode, Node, TaskNode


def task(name: str, *args: Any, immutable: bool = False, options: dict[str, Any] | None = None) -> TaskNode:
    """Return a task of its own name, so that tests can speak of it."""
    return TaskNode(
        task=name,
        arguments=json.dumps({"args": args, "kwargs": {}}),
        options=json.dumps(options) if options else None,
        takes_input=not immutable,
    )


def chain(*steps: Node | str) -> ChainNode:
    """Return steps that run one after another; a name is a task."""
    return ChainNode(_nodes(steps))


def group(*members: Node | str) -> GroupNode:
    """Return members that run side by side; a name is a task."""
    return GroupNode(_nodes(members))


def plans(*, max_leaves: int = 10) -> st.SearchStrategy[ChainNode]:
    """Return a strategy for plans: chains and groups in each other, empty groups, tasks with and without input."""
    tasks = st.builds(task, st.sampled_from("abc"), immutable=st.booleans())
    nodes = st.recursive(tasks, _nested, max_leaves=max_leaves)
    return st.lists(nodes, min_size=1, max_size=4).map(lambda steps: chain(*steps))


def _nested(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda steps: chain(*steps)),
        st.lists(inner, max_size=3).map(lambda members: group(*members)),
    )


def _nodes(children: tuple[Node | str, ...]) -> tuple[Node, ...]:
    return tuple(task(child) if isinstance(child, str) else child for child in children)
