"""What a plan is made of. Each canvas is drawn: ``[chain]``, ``(group)``, a task by its name and its own arguments."""

import json
import math
from uuid import uuid4

import pytest
from celery import chain, chord, current_app, group
from celery.canvas import Signature, _chain

from reports.errors import DocumentInvalidError, DocumentTooLargeError, PlanInvalidError
from reports.plan import ChainNode, TaskNode
from tasks.canvas import plan_of
from tests.unit.tasks.arithmetic import add, anything, bound, nothing, plain, product, retried, total


def draw(node):
    if isinstance(node, TaskNode):
        arguments = json.loads(node.arguments)
        said = [*map(repr, arguments["args"]), *(f"{key}={value!r}" for key, value in arguments["kwargs"].items())]
        return f"{node.task.removeprefix('arithmetic.')}{' '.join(['', *said])}{'' if node.takes_input else '!'}"
    inner = ", ".join(map(draw, node.children))
    return f"[{inner}]" if isinstance(node, ChainNode) else f"({inner})"


def drawn(*signatures):
    return draw(plan_of(signatures))


def refused(*signatures, error=PlanInvalidError):
    with pytest.raises(error) as refusal:
        plan_of(signatures)
    assert type(refusal.value) is error
    return str(refusal.value)


def stamped(signature):
    signature.stamp(customer="ada")
    return signature


def pairs():
    return group([add.s(1), add.s(2)])


# What a plan understands


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
    assert refused(group([deep])) == "The plan has groups in each other, more than 50 deep."


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


# What it refuses


MISFIT = "cannot be called like this"
WITH_INPUT = f"{MISFIT} (the first one is the previous task's result; use .si() to leave it out): "


@pytest.mark.parametrize(
    ("signatures", "said"),
    [
        ([add.s()], f"arithmetic.add {MISFIT}: add() missing 1 required positional argument: 'x'"),
        ([add.s(1, 2, 3)], f"arithmetic.add {MISFIT}: add() takes from 1 to 2 positional arguments but 3 were given"),
        ([add.s(z=1)], f"arithmetic.add {MISFIT}: add() got an unexpected keyword argument 'z'"),
        (
            [nothing.s(), nothing.s()],
            f"arithmetic.nothing {WITH_INPUT}nothing() takes 0 positional arguments but 1 was",
        ),
        ([nothing.s(), group([add.s(x=1)])], f"arithmetic.add {WITH_INPUT}add() got multiple values for argument 'x'"),
        ([nothing.s(), chain(add.s(1, 2), add.s())], f"arithmetic.add {WITH_INPUT}add() takes from 1 to 2 positional"),
        ([chord([], nothing.s())], f"arithmetic.nothing {WITH_INPUT}nothing() takes 0 positional arguments but 1 was"),
        ([nothing.s(), add.si()], f"arithmetic.add {MISFIT}: add() missing 1 required positional argument: 'x'"),
        ([bound.s()], f"arithmetic.bound {MISFIT}: "),
        ([retried.s(1, 2)], f"arithmetic.retried {MISFIT}: "),
        ([product.s()], f"arithmetic.product {MISFIT}: missing a required argument: 'x'"),
        ([product.s(1, 2, 3)], f"arithmetic.product {MISFIT}: too many positional arguments"),
        ([Signature("arithmetic.anything", kwargs={1: 2})], f"arithmetic.anything {MISFIT}: keywords must be strings"),
    ],
    ids=str,
)
def test_arguments_that_do_not_fit(signatures, said):
    assert refused(*signatures).startswith(said)


@pytest.mark.parametrize("argument", [add.s(1), object(), {1: 2}, b"", math.nan, "\0", 2**64], ids=range(7))
def test_arguments_that_are_not_json(argument):
    for signature in (anything.s(argument), group([anything.s(key=[argument])])):
        assert refused(signature, error=DocumentInvalidError).startswith("The arguments of arithmetic.anything ")


def test_arguments_that_are_too_large(settings):
    settings.REPORT_MAX_PARAMETERS_BYTES = 100
    said = refused(anything.s("x" * 100), error=DocumentTooLargeError)
    assert said == "The arguments of arithmetic.anything has 125 bytes as JSON; at most 100 are allowed."


def test_an_unknown_task():
    said = "There is no task arithmetic.power; is its module imported by one of ACTION_MODULES?"
    assert refused(Signature("arithmetic.power", app=current_app)) == said


def test_a_task_whose_outcome_nobody_would_record():
    assert refused(plain.s(1)) == "The class of task arithmetic.plain must inherit BaseErrorHandlerMixin."


@pytest.mark.parametrize(
    ("signature", "name"),
    [
        (anything.chunks([(1,), (2,)], 1), "celery.chunks"),
        (anything.chunks([(1,), (2,)], 1).group(), "celery.starmap"),
        (anything.map([1, 2]), "celery.map"),
        (anything.starmap([(1,), (2,)]), "celery.starmap"),
        (Signature("celery.backend_cleanup"), "celery.backend_cleanup"),
    ],
    ids=["chunks", "group of chunks", "map", "starmap", "a task of Celery's own"],
)
def test_celery_s_other_kinds_of_signatures(signature, name):
    said = f"{name} is not supported in a plan; write it as a group or a chain of tasks."
    assert refused(signature) == said
    assert refused(chain(nothing.s(), group([nothing.si(), signature]))) == said


CALLBACKS = " are not supported: the next step of a chain runs on success, and a failure is kept in the report."


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        (add.s(1).set(link=[add.s()]), "Callbacks through link on arithmetic.add"),
        (add.s(1).set(link_error=add.s()), "Callbacks through link_error on arithmetic.add"),
        (add.s(1).on_error(add.s()), "Callbacks through link_error on arithmetic.add"),
        (
            add.s(1).set(link=[add.s()], link_error=[add.s()]),
            "Callbacks through link, link_error on arithmetic.add",
        ),
        (chain(add.s(1), add.s()).on_error(add.s()), "Callbacks through link_error on a chain"),
        (chain(add.s(1), add.s()).set(link=add.s()), "Callbacks through link on a chain"),
        (pairs().on_error(add.s()), "Callbacks through link_error on arithmetic.add"),
        (pairs().set(link_error=add.s()), "Callbacks through link_error on a group"),
        (chord([add.s(1)], total.s(), link_error=[add.s()]), "Callbacks through link_error on a chord"),
        (chord([add.s(1)], total.s().on_error(add.s())), "Callbacks through link_error on arithmetic.total"),
        (chain(chain(add.s(1), add.s()).set(link=add.s()), add.s()), "Callbacks through link on arithmetic.add"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_callbacks(signature, said):
    assert refused(signature) == said + CALLBACKS


@pytest.mark.filterwarnings("ignore:task_allow_error_cb_on_chord_header")
def test_callbacks_that_a_chord_passes_on():
    a_chord = chord([add.s(1)], total.s())
    a_chord.link_error(add.s())
    assert refused(a_chord) == f"Callbacks through link_error on arithmetic.total{CALLBACKS}"
    a_group = pairs()
    a_group.link(add.s())
    assert refused(a_group) == f"Callbacks through link on arithmetic.add{CALLBACKS}"


@pytest.mark.parametrize(
    "option",
    [
        {"countdown": 3},
        {"countdown": 0},
        {"eta": "2030-01-01"},
        {"expires": 60},
        {"task_id": "mine"},
        {"retries": 3},
        {"headers": {"customer": "ada"}},
        {"ignore_result": False},
        {"serializer": "pickle"},
        {"shadow": "other"},
        {"chord": total.s()},
        {"chain": [add.s()]},
        {"reply_to": "me"},
    ],
    ids=lambda option: next(iter(option)),
)
def test_options_that_a_plan_cannot_keep(option):
    (name,) = option
    assert refused(add.s(1).set(**option)) == f"The option {name} of arithmetic.add is not supported in a plan."


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        (pairs().set(queue="slow"), "The option queue of a group"),
        (group([add.s(1)], priority=3), "The option priority of a group"),
        (chain(add.s(1), add.s(), queue="slow"), "The option queue of a chain"),
        (_chain(add.s(1), use_link=True), "The option use_link of a chain"),
        (chord([add.s(1)], total.s(), queue="slow"), "The option queue of a chord"),
        (chord([add.s(1)], total.s()).set(countdown=1), "The option countdown of a chord"),
        (group([pairs().set(queue="slow")]), "The option queue of a group"),
        (stamped(add.s(1)), "The option customer, stamped_headers of arithmetic.add"),
        (stamped(pairs()), "The option customer, stamped_headers of arithmetic.add"),
        (stamped(chord([add.s(1)], total.s())), "The option customer, stamped_headers of arithmetic.add"),
        (stamped(chain(add.s(1), add.s())), "The option customer, stamped_headers of arithmetic.add"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_options_of_more_than_one_task_and_stamps(signature, said):
    assert refused(signature) == f"{said} is not supported in a plan."


@pytest.mark.parametrize("freeze", [add.s(1), pairs()], ids=["task", "group"])
def test_what_was_frozen_for_celery_s_own_use(freeze):
    freeze.freeze()
    assert "task_id of " in refused(freeze)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("queue", 7),
        ("queue", ""),
        ("exchange", 7),
        ("routing_key", b"slow"),
        ("priority", "high"),
        ("priority", -1),
        ("priority", 256),
        ("priority", 1.5),
        ("priority", True),
        ("time_limit", "60"),
        ("time_limit", 0),
        ("time_limit", -1),
        ("soft_time_limit", True),
        ("soft_time_limit", math.nan),
    ],
)
def test_options_that_would_trouble_the_broker_or_the_worker(option, value):
    assert refused(add.s(1).set(**{option: value})) == f"The option {option} of arithmetic.add cannot be {value!r}."


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        (
            chord([add.s(1)], total.s()).clone(args=(5,)),
            "A chord with arguments of its own is not supported; give them to its first tasks.",
        ),
        (
            chord([add.s(1)], total.s(), kwargs={"z": 1}),
            "A chord with keyword arguments (z) is not supported.",
        ),
        (
            chord([add.s(1)], total.s(), kwargs={"kwargs": {"z": 1, "y": 2}}),
            "A chord with keyword arguments (y, z) is not supported.",
        ),
    ],
)
def test_a_chord_with_arguments_of_its_own(signature, said):
    assert refused(signature) == said


@pytest.mark.parametrize("kind", ["chain", "group"])
def test_chains_and_groups_with_arguments_of_their_own(kind):
    build = {"chain": lambda: chain(add.s(1), add.s()), "group": pairs}[kind]
    for key, value, said in [
        ("args", (5,), f"A {kind} with arguments of its own is not supported; give them to its first tasks."),
        ("immutable", True, f"A {kind} that is immutable as a whole is not supported; use .si() on its first tasks."),
    ]:
        signature = build()
        signature[key] = value
        assert refused(signature) == said
    signature = build()
    signature.kwargs["z"] = 1
    assert refused(signature) == f"A {kind} with keyword arguments (z) is not supported."


IMMUTABLE = "that is immutable as a whole is not supported; use .si() on its first tasks."


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        (chain(add.s(1), add.s()).set(immutable=True), f"A chain {IMMUTABLE}"),
        (group([add.s(1)], immutable=True), f"A group {IMMUTABLE}"),
        (chord([add.s(1)], total.s(), immutable=True), f"A chord {IMMUTABLE}"),
        (group([chain(add.s(1), add.s())]).set(immutable=True), f"A chain {IMMUTABLE}"),
    ],
    ids=["chain", "group", "chord", "chain in a group"],
)
def test_what_is_immutable_as_a_whole(signature, said):
    assert refused(nothing.s(), signature) == said


def test_a_chord_without_a_body():
    assert refused(chord([add.s(1)])) == "A chord without a body is not supported; write it as a group."


@pytest.mark.parametrize("empty", [chain(), chain([]), group([chain()]), _chain(add.s(1), chain())], ids=range(4))
def test_an_empty_chain(empty):
    assert refused(empty) == "A chain is empty; it needs at least one signature."


def test_an_empty_plan():
    assert refused() == "A plan is empty; it needs at least one signature."


@pytest.mark.parametrize(
    ("stranger", "said"),
    [
        (3, "a value of type int"),
        (None, "None"),
        ("arithmetic.add", "a value of type str"),
        (uuid4(), "a value of type UUID"),
        (add, f"the task {add!r} itself; call .s() or .si() on it"),
    ],
    ids=["number", "None", "name", "UUID", "task"],
)
def test_what_is_no_signature(stranger, said):
    assert refused(add.s(1), stranger) == f"A plan is made of signatures, not of {said}."
    assert refused(group([add.s(1), stranger])) == f"A plan is made of signatures, not of {said}."


def test_a_dictionary_that_is_no_signature():
    assert refused({"x": 1}) == "There is no task None; is its module imported by one of ACTION_MODULES?"
