import pytest
from celery import chain, group
from celery.canvas import Signature
from celery.result import AsyncResult

from tasks.base import BaseTask
from tasks.chainable import chainable, is_chainable
from tests.unit.tasks.arithmetic import add, nothing, product, total


@pytest.fixture(autouse=True)
def _never_dispatching(monkeypatch):
    dispatched = []
    monkeypatch.setattr(BaseTask, "apply_async", lambda *given, **options: dispatched.append((given, options)))
    yield
    assert dispatched == []


def returning(built):
    """Return a @chainable that returns ``built``."""

    @chainable
    def some_action():
        return built

    return some_action


NAME = "@chainable returning.<locals>.some_action"


def test_one_signature_becomes_a_tuple():
    assert returning(add.s(1))() == (add.s(1),)


@pytest.mark.parametrize(
    "build", [tuple, list, iter, lambda them: (one for one in them)], ids=["tuple", "list", "iterator", "generator"]
)
def test_an_iterable_of_signatures_becomes_a_tuple(build):
    built = returning(build([add.s(1), total.s()]))()
    assert type(built) is tuple
    assert built == (add.s(1), total.s())


def test_a_generator_function_may_be_chainable():
    @chainable
    def some_action(upto):
        for number in range(upto):
            yield add.si(number)

    assert some_action(3) == (add.si(0), add.si(1), add.si(2))


@pytest.mark.parametrize(
    "one",
    [chain(add.s(1), add.s()), group([add.s(1)]), group([]), add.s(1) | total.s()],
    ids=["chain", "group", "empty group", "pipe"],
)
def test_chains_and_groups_are_signatures_not_iterables(one):
    assert returning(one)() == (one,)


def test_the_function_is_called_once_with_what_it_was_given():
    calls = []

    @chainable
    def some_action(*args, **kwargs):
        calls.append((args, kwargs))
        return [add.s(1)]

    some_action(1, two=2)
    assert calls == [((1,), {"two": 2})]


def test_chainables_compose():
    @chainable
    def inner(x):
        return add.s(x), add.s(2)

    assert returning((*inner(1), total.s()))() == (add.s(1), add.s(2), total.s())
    assert returning(chain(*inner(1), total.s()))()[0].tasks == [add.s(1), add.s(2), total.s()]
    (members,) = returning(group([chain(*inner(1)), chain(*inner(5))]))()
    assert [member.tasks for member in members.tasks] == [[add.s(1), add.s(2)], [add.s(5), add.s(2)]]
    members, last = returning([group(inner(1)), total.s()])()
    assert (list(members.tasks), last) == ([add.s(1), add.s(2)], total.s())


def test_the_function_keeps_its_name_its_words_and_its_signature():
    @chainable
    def some_action(x: int) -> Signature:
        """Add one."""
        return add.s(x)

    assert some_action.__name__ == "some_action"
    assert some_action.__doc__ == "Add one."
    assert some_action.__annotations__ == {"x": int, "return": Signature}
    assert some_action.__wrapped__(1) == add.s(1)


def test_one_can_tell_what_is_chainable():
    assert is_chainable(returning(None))
    assert not is_chainable(add)
    assert not is_chainable(lambda: None)


def test_what_the_function_raises_passes():
    @chainable
    def some_action():
        raise LookupError("No such customer.")

    with pytest.raises(LookupError, match=r"^No such customer\.$"):
        some_action()


@pytest.mark.parametrize(
    ("built", "said"),
    [
        pytest.param(None, "None", id="None"),
        pytest.param(3, "a value of type int", id="int"),
        pytest.param("arithmetic.add", "a value of type str", id="str"),
        pytest.param(b"arithmetic.add", "a value of type bytes", id="bytes"),
        pytest.param({"task": "arithmetic.add"}, "a value of type dict", id="dict"),
        pytest.param(dict(add.s(1)), "a value of type dict", id="serialised signature"),
        pytest.param(object(), "a value of type object", id="object"),
        pytest.param(add, f"the task {add!r} itself; call .s() or .si() on it", id="task"),
        pytest.param(product, f"the task {product!r} itself; call .s() or .si() on it", id="task of a class"),
        pytest.param(add.s, "a value of type method", id="method"),
        pytest.param(
            AsyncResult("an-id"),
            "the result of tasks that it dispatched itself; return their signatures instead",
            id="result",
        ),
    ],
)
def test_what_is_no_signature_is_refused_by_what_it_is(built, said):
    with pytest.raises(TypeError) as refused:
        returning(built)()
    assert str(refused.value) == f"{NAME} must return a signature or an iterable of signatures, not {said}."
    with pytest.raises(TypeError) as refused:
        returning(one for one in [add.s(1), nothing.s(), built])()
    assert str(refused.value) == f"{NAME} must return signatures; item 2 is {said}."


@pytest.mark.parametrize("built", [(), [], iter([])], ids=["tuple", "list", "iterator"])
def test_an_empty_plan_is_refused(built):
    with pytest.raises(ValueError, match=r" returned no signatures: a plan needs at least one\.$") as refused:
        returning(built)()
    assert str(refused.value).startswith(NAME)


def test_what_yields_nothing_is_refused():
    @chainable
    def some_action():
        yield from []

    with pytest.raises(ValueError, match=r"some_action returned no signatures"):
        some_action()
