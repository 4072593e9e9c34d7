"""What the code of an action tells about what it may run."""

from celery import chain, group, shared_task, signature

from tasks import invoices
from tasks.chainable import chainable
from tasks.reach import Reach
from tests.unit.tasks import arithmetic
from tests.unit.tasks.arithmetic import add, nothing, product, retried, total


def names(canvas):
    return [task.name for task in Reach(canvas).tasks]


@shared_task(name="reach.grow", bind=True, autoretry_for=(OSError,))
def __grow(self, x):
    return more(x)


@shared_task(name="reach.alone")
def __alone():
    return nothing()


def more(x):
    return helped(x)


@chainable
def helped(x):
    return (total.s(y) for y in range(x))


@chainable
def again(x):
    return (add.s(x), *again(x - 1)) if x else add.s(0)


def test_tasks_in_the_order_in_which_they_are_named():
    @chainable
    def build():
        return add.s(1), group([product.s(), add.s()]), chain(retried.s(), total.s())

    assert names(build) == ["arithmetic.add", "arithmetic.product", "arithmetic.retried", "arithmetic.total"]


def test_those_of_other_canvases_and_of_functions_beside_it():
    @chainable
    def build():
        return *more(3), add.s()

    assert names(build) == ["arithmetic.total", "arithmetic.add"]


def test_those_that_tasks_return():
    @chainable
    def build():
        return __grow.s(1), __alone.s()

    assert names(build) == ["reach.grow", "reach.alone", "arithmetic.total", "arithmetic.nothing"]


def test_those_of_modules_and_those_that_stand_there_by_name():
    @chainable
    def build():
        return arithmetic.add.s(1), signature("arithmetic.nothing"), *invoices.sync_invoices("cus_ada")

    assert set(names(build)) == {"arithmetic.add", "arithmetic.nothing", "invoices.fetch", "invoices.store"}


def test_those_of_variables_around_it():
    first = add

    @chainable
    def build():
        return (first.s(x) for x in range(3))

    assert names(build) == ["arithmetic.add"]


def test_a_canvas_that_calls_itself():
    assert names(again) == ["arithmetic.add"]


def test_a_canvas_without_code_of_its_own_reaches_nothing():
    assert names(chainable(print)) == []


def test_the_words_of_a_canvas():
    @chainable
    def build():
        return add.s(1).set(soft_time_limit=5)

    assert {"soft_time_limit", "set", "add"} <= Reach(build).names
    assert "time_limit" not in Reach(build).names
