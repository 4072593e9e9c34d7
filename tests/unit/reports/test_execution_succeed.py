from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from reports import execution, intervention
from reports.errors import AttemptLostError, DocumentInvalidError, DocumentTooLargeError
from reports.models import AsyncActionReport, Status
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain, group

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects


def assert_lost(claim):
    before = ledger.snapshot()
    with pytest.raises(AttemptLostError, match=rf"^Attempt {claim.attempt} of report {claim.id} is over: "):
        execution.succeed(claim, "late")
    assert ledger.snapshot() == before


def test_the_result_is_kept_with_its_moment():
    ledger.accept("a")
    ledger.succeed("a", {"number": 1})
    row = ledger.find("a")
    assert (row.status, row.result, row.error_code, row.errors) == (Status.OK, {"number": 1}, "", [])
    assert row.started_at <= row.finished_at <= datetime.now(UTC) + timedelta(seconds=60)


def test_the_action_is_ok_when_its_last_task_is():
    root = ledger.accept("a", "b")
    assert ledger.succeed("a") == ["b"]
    row = ALL.get(id=root)
    assert (row.status, row.children_ok, row.tasks_ok, row.finished_at) == (Status.RUNNING, 1, 1, None)
    assert ledger.succeed("b") == []
    row = ALL.get(id=root)
    assert (row.status, row.children_ok, row.tasks_ok) == (Status.OK, 2, 2)
    assert row.finished_at is not None


def test_every_task_of_the_tree_is_counted_at_the_root():
    root = ledger.accept(group("a", chain("b", "c")), "d")
    for done, name in enumerate("abcd", start=1):
        ledger.succeed(name)
        assert (ALL.get(id=root).tasks_ok, ALL.get(id=root).tasks_total) == (done, 4)


def test_a_result_that_cannot_be_kept_changes_nothing(settings):
    settings.REPORT_MAX_RESULT_BYTES = 10
    ledger.accept("a")
    claim = ledger.claim("a")
    before = ledger.snapshot()
    with pytest.raises(DocumentInvalidError, match=r"^The result of a cannot be written as JSON: "):
        execution.succeed(claim, object())
    with pytest.raises(
        DocumentTooLargeError, match=r"^The result of a would take 11 bytes as JSON; at most 10 are allowed\.$"
    ):
        execution.succeed(claim, "123456789")
    assert ledger.snapshot() == before


def test_succeeding_twice():
    ledger.accept("a", "b")
    claim = ledger.claim("a")
    execution.succeed(claim, "first")
    assert_lost(claim)
    assert ledger.find("a").result == "first"


def test_an_attempt_that_was_superseded():
    ledger.accept("a")
    first = ledger.claim("a")
    execution.put_off(first.id, first.attempt, ledger.failure_of("a"), delay=0, lost=True)
    assert_lost(first)
    second = ledger.claim("a")
    assert_lost(first)
    assert_lost(replace(second, attempt=3))
    assert execution.succeed(second, "ok") == []


def test_a_task_that_failed():
    ledger.accept("a", "b")
    claim = ledger.claim("a")
    execution.fail(claim.id, claim.attempt, ledger.failure_of("a"))
    assert_lost(claim)


def test_a_task_that_grew():
    ledger.accept("a", "b")
    claim = ledger.claim("a")
    execution.expand(claim, chain("x"))
    assert_lost(claim)


@pytest.mark.parametrize("end", ["cancel", "fail"])
def test_a_task_in_flight_records_its_result_though_its_action_is_final(end):
    root = ledger.accept(group("a", "b"), "c")
    claim = ledger.claim("a")
    if end == "cancel":
        intervention.cancel(root)
    else:
        ledger.fail("b")
    drawn = ledger.draw(root)
    assert execution.succeed(claim, "late") == []
    assert ledger.draw(root) == drawn.replace("a running", "a ok")
    assert ledger.find("a").result == "late"
    assert ALL.get(id=root).tasks_ok == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(settings.TEST_DATABASE == "sqlite", reason="a connection to a file is not cut")
def test_a_connection_that_was_cut_meanwhile_is_replaced_before_anything_is_sent():
    ledger.accept("a", "b")
    claim = ledger.claim("a")
    where = connection.settings_dict
    with psycopg.connect(host=where["HOST"], port=where["PORT"], user=where["USER"], dbname=where["NAME"]) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
    # As `close_old_connections()` leaves it, of a connection that has not been asked for long; a new one has its own.
    connection.health_check_enabled, connection.health_check_done = True, False
    connection._answered_at = float("-inf")
    assert ledger.names(execution.succeed(claim, 1)) == ["b"]
