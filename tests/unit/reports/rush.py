"""Several things at the same moment, each in a thread with a database connection of its own."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

from django.db import connection

_PATIENCE = 30.0  # seconds; a deadlock ends earlier on PostgreSQL, by an error


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Make the calls at the same moment. Returns what they returned, or the exceptions that they raised."""
    start = Barrier(len(calls))
    outcomes: list[Any] = [None] * len(calls)

    def make(position: int) -> None:
        try:
            connection.ensure_connection()
            start.wait(timeout=_PATIENCE)
            outcomes[position] = calls[position]()
        except Exception as error:  # noqa: BLE001  the test looks at it
            outcomes[position] = error
        finally:
            connection.close()

    threads = [Thread(target=make, args=(position,), daemon=True) for position in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=_PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "They wait for each other."
    return outcomes
