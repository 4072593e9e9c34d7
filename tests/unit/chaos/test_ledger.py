from datetime import timedelta

import pytest

from chaos import ledger
from reports import intervention
from tests.unit.reports.ledger import accept, change, claim, fail, find, put_off, succeed

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_under_way_is_what_runs_or_waits_for_a_worker() -> None:
    accept("first", "second")
    assert ledger.under_way().keys() == {find("first").id}
    assert not ledger.under_way()[find("first").id].is_running
    claim("first")
    [mark] = ledger.under_way().values()
    assert (mark.attempts, mark.is_running, mark.worker) == (1, True, "worker-1")
    assert mark.heartbeat_at == find("first").heartbeat_at


def test_what_waits_for_its_time_or_is_final_is_not_under_way() -> None:
    accept("later")
    put_off("later", delay=3600)
    accept("ok")
    succeed("ok")
    accept("failed")
    fail("failed")
    intervention.cancel(accept("cancelled"))
    assert ledger.under_way() == {}


def test_what_waits_for_its_next_attempt_is_under_way_when_its_time_has_come() -> None:
    accept("soon")
    put_off("soon", delay=3600)
    change(find("soon").id, not_before=find("soon").created_at - HOUR)
    assert ledger.under_way().keys() == {find("soon").id}


def test_what_has_become_final_lately() -> None:
    accept("old", "new")
    succeed("old")
    succeed("new")
    change(find("old").id, finished_at=find("old").finished_at - HOUR)
    assert {row.task for row in ledger.finished(within=HOUR / 2)} == {"new", ""}
    assert {row.task for row in ledger.finished()} == {"old", "new", ""}


def test_rows_know_how_often_their_action_was_resumed() -> None:
    root = accept("first", "second")
    succeed("first")
    fail("second")
    intervention.resume(root)
    assert {row.resumes for row in ledger.read()} == {1}
    assert {row.task for row in ledger.unfinished()} == {"second", ""}
    assert {row.task for row in ledger.unfinished([root])} == {"second", ""}


def test_a_failed_row_tells_why() -> None:
    accept("first")
    fail("first")
    assert {row.error_code for row in ledger.read()} == {"broken"}
