"""Tasks that tell where they run."""

import os
from typing import Any

from celery import shared_task
from django.db import connection


@shared_task(name="processes.identify")
def identify() -> dict[str, Any]:
    """Return the process that runs this, and the database's process at the other end of its connection."""
    return {"process": os.getpid(), "backend": _backend()}


@shared_task(
    name="processes.identify_later", bind=True, autoretry_for=(LookupError,), default_retry_delay=0, max_retries=1
)
def identify_later(self: Any) -> dict[str, Any]:
    """Do so at the second try, which recovery publishes."""
    if not self.request.retries:
        raise LookupError("Not at first.")
    return identify.run()


def _backend() -> int | None:
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]
