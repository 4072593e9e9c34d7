"""Show how long the operators' pages take with a million finished reports and 100,000 that wait.

Each page is asked for as a browser does, through Django and all its middleware; the database is PostgreSQL.
"""

import sys
import time
from datetime import timedelta
from statistics import median

from benchmarks.plans import FINISHED, WAITING, fill, task  # sets Django up

from django.conf import settings  # isort: skip
from django.contrib.auth import get_user_model  # isort: skip
from django.core.cache import cache  # isort: skip
from django.core.management import call_command  # isort: skip
from django.db import connection  # isort: skip
from django.test import Client  # isort: skip
from django.test.utils import CaptureQueriesContext  # isort: skip

from reports import acceptance, claiming, execution  # isort: skip
from reports.failure import Failure  # isort: skip
from reports.plan import ChainNode  # isort: skip

LIST = "/admin/reports/asyncactionreport/"
TIMES = 5


def main() -> int:
    """Fill the database and time the pages. Returns an exit code."""
    call_command("migrate", verbosity=0)
    large = fill()
    failed, (first, *_) = acceptance.accept(
        action="action-1", plan=ChainNode((task(), task())), parameters={"n": 1}, requested_by=1
    )
    claim = claiming.claim(first.id, task="a.task", worker="w")
    assert claim is not None  # noqa: S101  it was just accepted
    execution.fail(first.id, claim.attempt, Failure("code", "Type", "message", "a.task", "Traceback"))
    # As if the last that is finished were finished now: the dashboard looks at the last hour.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reports_asyncactionreport SET finished_at = now() - (made_at(%s) - finished_at)"
            " WHERE parent_id IS NULL AND finished_at > made_at(%s)",
            [FINISHED // 3, FINISHED // 3 - 3600],
        )
        cursor.execute("SELECT make_id(%s, 0), make_id(%s, 2)", [FINISHED // 6] * 2)
        middle, some_task = cursor.fetchone()
        cursor.execute("SELECT made_at(%s)", [FINISHED // 6])
        (moment,) = cursor.fetchone()
        cursor.execute("VACUUM ANALYZE reports_asyncactionreport")
    browser = Client(headers={"Host": "localhost"})
    browser.force_login(get_user_model().objects.create_superuser("operator", password="x", pk=100))  # noqa: S106
    since, until = (f"{moment + part:%Y-%m-%dT%H:%M}" for part in (timedelta(), timedelta(hours=1)))
    pages = {
        "dashboard": "/admin/",
        "list": LIST,
        "list, a page in the middle": f"{LIST}?after={middle}",
        "list of failures": f"{LIST}?status=failed",
        "list of a status that none has": f"{LIST}?status=cancelled",
        "list by action": f"{LIST}?action=action-0",
        "list by action and status": f"{LIST}?action=action-0&status=failed",
        "list by client": f"{LIST}?client=client-3",
        "list by error code": f"{LIST}?code=code-0",
        "list by time": f"{LIST}?since={since}&until={until}",
        "search by key": f"{LIST}?text=key-10",
        "search by a task's id": f"{LIST}?text={some_task}",
        "report": f"{LIST}{failed}/change/",
        "report with 10,000 tasks": f"{LIST}{large}/change/",
        "its part that is live": f"{LIST}{large}/live/",
        "details of a task": f"{LIST}{first.id}/details/",
    }
    settings.SECURE_SSL_REDIRECT = False
    sys.stdout.write(f"{FINISHED:,} finished, {WAITING:,} waiting reports; the median of {TIMES} times.\n")
    for name, path in pages.items():
        seconds, statements, size = _time(browser, path)
        sys.stdout.write(f"{name:34} {1000 * seconds:7.0f} ms  {statements:3} statements  {size / 1024:6.0f} KiB\n")
    return 0


def _time(browser: Client, path: str) -> tuple[float, int, int]:
    durations = []
    for _ in range(TIMES):
        cache.clear()
        with CaptureQueriesContext(connection) as statements:
            began = time.perf_counter()
            response = browser.get(path)
            durations.append(time.perf_counter() - began)
        if response.status_code not in (200, 302):
            raise RuntimeError(f"{path} was answered by {response.status_code}.")
    return median(durations), len(statements), len(response.content)


if __name__ == "__main__":
    sys.exit(main())
