"""What PostgreSQL has learned while nothing waited misleads it when much does."""

import pytest
from django.conf import settings
from django.db import connection

from reports import execution
from reports.models import AsyncActionReport
from tests.unit.reports import ledger

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(settings.TEST_DATABASE == "sqlite", reason="PostgreSQL's planner is meant."),
]

FINISHED = 300


@pytest.fixture
def plans():
    """The plans of the statements that are run from now on."""
    plans = []

    def explain(run, sql, params, many, context):
        # psycopg alone explains what has parameters; those of the tests' own statements are of no matter.
        if sql.lstrip().startswith(("UPDATE", "SELECT", "WITH")) and not many:
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {sql}", params)
                plans.append("\n".join(row[0] for row in cursor.fetchall()))
        return run(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield plans


def test_a_report_is_found_by_its_id(plans):
    for _ in range(FINISHED):
        ledger.accept("a")
    AsyncActionReport.objects.update(status="ok", due_at=None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE reports_asyncactionreport")
    ledger.accept("b", "c")
    plans.clear()

    claim = ledger.claim("b")
    execution.succeed(claim, 1)

    [succession] = [plan for plan in plans if "CTE recorded" in plan]
    assert "Seq Scan on reports_asyncactionreport" not in succession, succession
    assert succession.count("reports_asyncactionreport_pkey on reports_asyncactionreport ") >= 2, succession
    [claimed] = [plan for plan in plans if "CTE begun" in plan]
    assert "Seq Scan on reports_asyncactionreport" not in claimed, claimed
    assert claimed.count("reports_asyncactionreport_pkey on reports_asyncactionreport ") >= 3, claimed
