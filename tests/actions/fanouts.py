"""One task that becomes many."""

from celery import group, shared_task
from celery.canvas import Signature

from tests.actions import journal


@shared_task(name="fanouts.spread")
def spread(count: int, key: str) -> Signature:
    """Return one task for each number below ``count``."""
    journal.write(f"{key} spreads")
    return group([square.si(number) for number in range(count)])


@shared_task(name="fanouts.square")
def square(number: int) -> int:
    return number * number


@shared_task(name="fanouts.add")
def add(numbers: list[int], key: str) -> int:
    journal.write(f"{key} adds {len(numbers)}")
    return sum(numbers)
