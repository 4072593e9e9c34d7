from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

Result = TypeVar("Result")


def at_once(times: int, function: Callable[[int], Result]) -> list[Result]:
    """Call function(0), function(1), … at the same moment, each with a database connection of its own."""
    start = Barrier(times)

    def one(number: int) -> Result:
        try:
            connection.ensure_connection()
            start.wait(timeout=30)
            return function(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))
