"""What a plan is made of. Each canvas is drawn: ``[chain]``, ``(group)``, a task by its name and its own arguments."""

import json

import pytest
from celery import chain, chord, group
from celery.canvas import _chain

from reports.plan import ChainNode, TaskNode
from tasks.canvas import plan_of
from tests.unit.tasks.arithmetic import add, anything, bound, nothing, pairs, product, retried, total


def draw(node):
    if isinstance(node, TaskNode):
        arguments = json.loads(node.arguments)
        said = [*map(repr, arguments["args"]), *(f"{key}={value!r}" for key, value in arguments["kwargs"].items())]
        return f"{node.task.removeprefix('arithmetic.')}{' '.join(['', *said])}{'' if node.takes_input else '!'}"
    inner = ", ".join(map(draw, node.children))
    return f"[{inner}]" if isinstance(node, ChainNode) else f"({inner})"


def drawn(*signatures):
    return draw(plan_of(signatures))


def test_a_signature_alone_is_a_plan():
    assert draw(plan_of(add.s(1))) == "[add 1]"
    assert draw(plan_of(group([add.s(1)]))) == "[(add 1)]"


@pytest.mark.parametrize("build", [tuple, list, iter], ids=["tuple", "list", "iterator"])
def test_signatures_run_one_after_another(build):
    assert draw(plan_of(build([add.s(1), add.s(2), add.si(3)]))) == "[add 1, add 2, add 3!]"


@pytest.mark.parametrize(
    ("signatures", "plan"),
    [
        ([chain(add.s(1), add.s(2)), add.s(3)], "[add 1, add 2, add 3]"),
        ([chain(add.s(1), chain(add.s(2), add.s(3)))], "[add 1, add 2, add 3]"),
        ([pairs(), total.s()], "[(add 1, add 2), total]"),
        ([group([chain(add.s(1), add.s(2)), add.s(3)])], "[([add 1, add 2], add 3)]"),
        ([group([group([add.s(1)]), group([])])], "[((add 1), ())]"),
        ([chord([add.s(1), add.s(2)], total.s())], "[(add 1, add 2), total]"),
        ([chord(pairs(), chain(total.s(), add.s(3)))], "[(add 1, add 2), total, add 3]"),
        ([chord([chord(pairs(), total.s()), add.s(3)], total.s())], "[([(add 1, add 2), total], add 3), total]"),
        ([chord([], total.s())], "[(), total]"),
        ([chord((add.s(n) for n in range(2)), total.s())], "[(add 0, add 1), total]"),
        ([group(add.s(n) for n in range(2))], "[(add 0, add 1)]"),
        ([group([])], "[()]"),
        ([add.s(1), group([]), nothing.si()], "[add 1, (), nothing!]"),
        ([nothing.s(), group([add.s()]), total.s()], "[nothing, (add), total]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_chains_groups_and_chords_in_each_other(signatures, plan):
    assert drawn(*signatures) == plan


@pytest.mark.parametrize(
    ("signature", "plan"),
    [
        (pairs() | total.s(), "[(add 1, add 2), total]"),
        (chain(add.s(0), pairs(), total.s()), "[add 0, (add 1, add 2), total]"),
        (chain(pairs(), total.s(), pairs(), total.s()), "[(add 1, add 2), total, (add 1, add 2), total]"),
        (chain(pairs(), pairs()), "[(add 1, add 2), (add 1, add 2)]"),
        (chain(nothing.s(), group([add.s()]), add.s()), "[nothing, add, add]"),
        (chain(add.s(0), group([]), add.s(1)), "[add 0, add 1]"),
        (chain(group([]), add.s(1)), "[add 1]"),
        (group([]) | total.s(), "[(), total]"),
        (chain([add.s(1)]), "[add 1]"),
        (chain(add.s(1), add.s(2)).clone(args=(5,)), "[add 1, add 2]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_celery_makes_of_a_canvas_before_it_gets_here(signature, plan):
    """Its chains merge, a group before a step is a chord, a group of one is unrolled and one of none is left out."""
    assert drawn(signature) == plan


def test_a_chain_kept_as_it_was_written():
    assert drawn(_chain(nothing.s(), group([add.s()]), group([]), total.s())) == "[nothing, (add), (), total]"


def test_a_long_chain_of_chords_is_no_deep_one():
    steps = [step for _ in range(30) for step in (pairs(), total.s())]
    assert drawn(chain(*steps)) == f"[{', '.join(['(add 1, add 2), total'] * 30)}]"


def test_a_serialised_canvas_is_understood():
    canvas = chain(add.s(1), pairs(), total.s())
    assert drawn(json.loads(json.dumps(canvas))) == drawn(canvas) == "[add 1, (add 1, add 2), total]"


def test_groups_may_be_fifty_deep():
    deep = add.s(1)
    for _ in range(50):
        deep = group([deep])
    assert drawn(deep) == f"[{'(' * 50}add 1{')' * 50}]"


def test_immutable_members_and_headers_take_no_input():
    assert drawn(nothing.s(), pairs().set(immutable=True)) == "[nothing, (add 1!, add 2!)]"
    assert drawn(nothing.s(), chord([add.s(1)], total.s()).set(immutable=True)) == "[nothing, (add 1!), total]"


def test_arguments_are_kept_as_json():
    (node,) = plan_of(anything.s(1, "zwei", [None], key={"deep": True})).children
    assert json.loads(node.arguments) == {"args": [1, "zwei", [None]], "kwargs": {"key": {"deep": True}}}


def test_options_that_celery_carries_out_are_kept():
    options = {
        "queue": "slow",
        "exchange": "direct",
        "routing_key": "slow.one",
        "priority": 9,
        "time_limit": 60,
        "soft_time_limit": 0.5,
    }
    (node,) = plan_of(add.s(1).set(**options)).children
    assert json.loads(node.options) == options


def test_options_that_say_nothing_are_left_out():
    (node,) = plan_of(add.s(1).set(queue=None, countdown=None, link=[], link_error=())).children
    assert node.options is None


@pytest.mark.parametrize(
    "signatures",
    [
        [product.s(3)],
        [product.s(3, y=2)],
        [nothing.s(), product.s(y=2)],
        [bound.s(1)],
        [nothing.s(), bound.s()],
        [retried.s(1)],
        [add.s(1), add.s(), add.si(1, 2)],
        [add.s(1), group([add.s(), add.si(1), chain(add.s(), add.s())])],
        [anything.s(1, 2, 3, four=4)],
    ],
    ids=str,
)
def test_arguments_that_fit_are_taken(signatures):
    assert plan_of(signatures)
