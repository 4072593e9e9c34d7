"""What plans come to, worked out in plain Python. A task's argument is its label, its result a digest."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

from reports.plan import ChainNode, GroupNode, Node, TaskNode


def digest(given: Sequence[Any]) -> int:
    """Return what a task makes of its arguments: another number for every label and every input."""
    return crc32(json.dumps(list(given)).encode())


def labelled(plan: ChainNode, labels: Iterator[int]) -> ChainNode:
    """Return the plan with a label of its own as the only argument of each task."""
    children = tuple(_labelled(child, labels) for child in plan.children)
    return replace(plan, children=children)


def evaluate(plan: ChainNode, grown: Mapping[int, ChainNode]) -> Any:
    """Return the result of a plan. ``grown`` holds, by label, the tasks that returned signatures, and which."""
    return _evaluate(plan, [], grown)


def _labelled(node: Node, labels: Iterator[int]) -> Node:
    if isinstance(node, TaskNode):
        label = next(labels)
        return replace(node, task=f"t{label}", arguments=json.dumps({"args": [label], "kwargs": {}}))
    return replace(node, children=tuple(_labelled(child, labels) for child in node.children))


def _evaluate(node: Node, given: list[Any], grown: Mapping[int, ChainNode]) -> Any:
    if isinstance(node, GroupNode):
        return [_evaluate(member, given, grown) for member in node.children]
    if isinstance(node, ChainNode):
        for step in node.children:
            given = [_evaluate(step, given, grown)]
        return given[0]
    (label,) = json.loads(node.arguments)["args"]
    if label in grown:
        return _evaluate(grown[label], [], grown)
    return digest([*(given if node.takes_input else []), label])
