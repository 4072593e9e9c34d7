"""The first page: how the service is."""

from datetime import timedelta

import pytest

from reports import workers
from reports.models import AsyncActionReport
from reports.models import Worker as WorkerRow
from reports.selectors import read_clock

ALL = AsyncActionReport.objects


@pytest.fixture
def busy(ledger):
    """Have two ok, one failed, one that runs and one that waits, and two workers of which one was lost."""
    for _ in range(2):
        ledger.succeed(ledger.accept(), 1, 2)
    failed = ledger.accept()
    ledger.fail(failed)
    running = ledger.accept(action="ensure-customer")
    claim = ledger.claim(running)
    ALL.filter(id=claim.id).update(worker="worker1@here#1a:42-b")
    ledger.accept()
    workers.show_up("worker1@here#1a", queues=["async-actions"], processes=4)
    workers.show_up("worker2@there#2b", queues=["slow"], processes=8)
    WorkerRow.objects.filter(name="worker2@there#2b").update(heartbeat_at=read_clock() - timedelta(minutes=5))
    return {"failed": failed, "running": running, "task": claim.id}


def test_tells_how_the_service_is(viewer, busy):
    response = viewer.get("/admin/")
    dashboard = response.context["dashboard"]

    assert (dashboard.measured, round(dashboard.success)) == (3, 67)
    assert [(one.action, one.number) for one in dashboard.times] == [("sync-invoices", 3)]
    assert (dashboard.waiting, dashboard.running) == (1, 1)
    assert (dashboard.alive, dashboard.processes) == (1, 4)
    assert [(queue.name, queue.waiting, queue.workers) for queue in dashboard.queues] == [("async-actions", 1, 1)]
    assert sum(column.accepted for column in dashboard.chart.columns) == 5
    assert sum(column.finished for column in dashboard.chart.columns) == 3
    text = response.content.decode()
    (group,) = dashboard.failures
    assert (group.code, group.type, group.number, group.latest) == ("gone", "LookupError", 1, busy["failed"])
    assert "/admin/reports/asyncactionreport/?status=failed&amp;action=sync-invoices&amp;code=gone" in text
    # What each worker executes, and which one was lost.
    assert f"/admin/reports/asyncactionreport/{busy['running']}/change/#step-{busy['task']}" in text
    assert "lost 5 min ago" in text


def test_a_queue_that_no_worker_takes_from_is_seen(viewer, ledger):
    ledger.accept()

    response = viewer.get("/admin/")

    assert [(queue.waiting, queue.workers) for queue in response.context["dashboard"].queues] == [(1, 0)]
    assert "nothing runs, nothing is rescued" in response.content.decode()


def test_an_empty_service(viewer):
    text = viewer.get("/admin/").content.decode()

    assert "Nothing has failed." in text
    assert "No worker is there." in text


def test_is_read_once_in_a_few_seconds(viewer, busy, django_assert_max_num_queries):
    viewer.get("/admin/")
    ALL.all().delete()

    # The session, the person and the person's permissions.
    with django_assert_max_num_queries(4):
        response = viewer.get("/admin/")

    assert response.context["dashboard"].measured == 3


def test_tells_nothing_to_whom_may_not_see_reports(person_with, busy):
    response = person_with().get("/admin/")

    assert "dashboard" not in response.context
    assert "sync-invoices" not in response.content.decode()
    assert "You may not see reports." in response.content.decode()


@pytest.mark.parametrize("path", ["auth/user/", "auth/group/", "knox/authtoken/", "auth/user/add/", "auth/group/add/"])
def test_the_pages_about_clients_are_there(admin_client, path):
    assert admin_client.get(f"/admin/{path}").status_code == 200


def test_tokens_are_made_by_commands_alone(admin_client):
    assert admin_client.get("/admin/knox/authtoken/add/").status_code == 403
