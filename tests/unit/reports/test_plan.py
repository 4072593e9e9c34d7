from uuid import uuid4

from hypothesis import given

from reports.models import Kind
from reports.plan import ChainNode, GroupNode, Node, Placed, TaskNode, count_tasks, place
from tests.unit.reports.plans import chain, group, plans, task


def nodes_of(node: Node) -> list[Node]:
    """Return the nodes below ``node``, in the order in which ``place`` must name them."""
    children = () if isinstance(node, TaskNode) else node.children
    return [found for child in children for found in (child, *nodes_of(child))]


def kind_of(node: Node) -> Kind:
    return {TaskNode: Kind.TASK, ChainNode: Kind.CHAIN, GroupNode: Kind.GROUP}[type(node)]


def by_name(placed: list[Placed]) -> dict[str, Placed]:
    return {node.task: node for node in placed if node.task}


@given(plans())
def test_every_node_is_placed_once_with_what_it_is(plan):
    placed = list(place(plan, uuid4()))
    assert [(p.kind, p.task, p.arguments, p.options, p.children_total) for p in placed] == [
        (
            kind_of(node),
            getattr(node, "task", ""),
            getattr(node, "arguments", None),
            getattr(node, "options", None),
            len(getattr(node, "children", ())),
        )
        for node in nodes_of(plan)
    ]
    assert len({p.id for p in placed}) == len(placed)
    assert count_tasks(plan) == sum(p.kind == Kind.TASK for p in placed)


@given(plans())
def test_parents_come_before_their_children_which_are_numbered_in_order(plan):
    root = uuid4()
    seen: dict = {root: []}
    for node in place(plan, root):
        seen[node.parent].append(node.position)
        seen[node.id] = []
    assert all(positions == list(range(len(positions))) for positions in seen.values())


@given(plans())
def test_ids_sort_in_the_order_of_the_plan(plan):
    ids = [node.id for node in place(plan, uuid4())]
    assert ids == sorted(ids)


@given(plans())
def test_a_step_after_the_first_starts_by_itself_and_everything_else_with_its_parent(plan):
    root = uuid4()
    placed = {node.id: node for node in place(plan, root)}
    kinds = {root: Kind.CHAIN} | {id_: node.kind for id_, node in placed.items()}
    starts_with = {root: root} | {id_: node.starts_with for id_, node in placed.items()}
    for node in placed.values():
        waits = kinds[node.parent] == Kind.CHAIN and node.position > 0
        assert node.starts_with == (node.id if waits else starts_with[node.parent])


@given(plans())
def test_the_input_is_the_step_before_or_what_the_parent_was_given(plan):
    root = uuid4()
    placed = {node.id: node for node in place(plan, root)}
    at = {(node.parent, node.position): node.id for node in placed.values()}
    kinds = {root: Kind.CHAIN} | {id_: node.kind for id_, node in placed.items()}
    flowing = {root: None}
    for node, planned in zip(placed.values(), nodes_of(plan), strict=True):
        follows = kinds[node.parent] == Kind.CHAIN and node.position > 0
        flowing[node.id] = at[node.parent, node.position - 1] if follows else flowing[node.parent]
        takes_input = isinstance(planned, TaskNode) and planned.takes_input
        assert node.input_from == (flowing[node.id] if takes_input else None)


def test_an_example_by_hand():
    root = uuid4()
    placed = list(place(chain("a", group("b", chain("c", task("d", immutable=True)), group("e")), "f"), root))
    group_, chain_ = placed[1], placed[3]
    at = by_name(placed)
    assert {name: node.starts_with for name, node in at.items()} == {
        "a": root,
        "b": group_.id,
        "c": group_.id,
        "d": at["d"].id,
        "e": group_.id,
        "f": at["f"].id,
    }
    assert {name: node.input_from for name, node in at.items()} == {
        "a": None,
        "b": at["a"].id,
        "c": at["a"].id,
        "d": None,
        "e": at["a"].id,
        "f": group_.id,
    }
    assert (chain_.kind, chain_.parent, at["d"].parent) == (Kind.CHAIN, group_.id, chain_.id)
