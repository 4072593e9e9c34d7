"""What a plan cannot be made of: each is refused by name."""

import math
from uuid import uuid4

import pytest
from celery import chain, chord, current_app, group
from celery.canvas import Signature, _chain

from reports.errors import DocumentInvalidError, DocumentTooLargeError, PlanInvalidError
from tasks.canvas import plan_of
from tests.unit.tasks.arithmetic import add, anything, bound, nothing, pairs, plain, product, retried, total


def refused(*signatures, error=PlanInvalidError):
    with pytest.raises(error) as refusal:
        plan_of(signatures)
    assert type(refusal.value) is error
    return str(refusal.value)


def stamped(signature):
    signature.stamp(customer="ada")
    return signature


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
    assert said == "The arguments of arithmetic.anything would take 125 bytes as JSON; at most 100 are allowed."


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


def test_groups_in_each_other_beyond_measure():
    deep = add.s(1)
    for _ in range(51):
        deep = group([deep])
    assert refused(deep) == "The plan has groups in each other, more than 50 deep."
