"""Tasks for tests of what is built from them. They are called as functions here; nothing dispatches them."""

from celery import Task, current_app, group, shared_task

from tasks.base import BaseTask


@shared_task(name="arithmetic.add")
def add(x, y=1):
    return x + y


@shared_task(name="arithmetic.total")
def total(numbers):
    return sum(numbers)


@shared_task(name="arithmetic.anything")
def anything(*args, **kwargs):
    return [args, kwargs]


@shared_task(name="arithmetic.nothing")
def nothing():
    return None


@shared_task(bind=True, name="arithmetic.bound")
def bound(self, x):
    return x


@shared_task(name="arithmetic.retried", autoretry_for=(ConnectionError,))
def retried(x):
    return x


@shared_task(name="arithmetic.plain", base=Task)
def plain(x):
    return x


class Product(BaseTask):
    name = "arithmetic.product"

    def run(self, x, y=2):
        return x * y


product = current_app.register_task(Product())


def pairs():
    """Return a group of two tasks."""
    return group([add.s(1), add.s(2)])
