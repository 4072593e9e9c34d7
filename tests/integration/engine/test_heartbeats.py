from uuid import uuid4

import pytest
from celery import current_app
from django.utils.timezone import now

from reports.models import AsyncActionReport, Status
from tests.actions import journal, progress
from tests.integration.engine.engine import Engine

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_duplicate_does_not_take_the_heartbeats_from_the_task_that_runs(engine: Engine) -> None:
    key = uuid4().hex
    root = engine.request(progress.proceed.s(1, key=key))
    [task] = engine.tasks(root)
    row = AsyncActionReport.objects.filter(id=task.id)
    engine.wait_until(lambda: row.get().status == Status.RUNNING)
    for _ in range(3):
        current_app.send_task(task.task, task_id=str(task.id))
    engine.wait_until(lambda: engine.messages() == [])
    refused = "this message was a duplicate"
    engine.wait_until(lambda: engine.worker.log_text().count(f"[{task.id}] is running and not due: {refused}") == 3)
    refused_at = now()
    engine.wait_until(lambda: row.get().heartbeat_at > refused_at)
    journal.write(f"{key} after 1")
    engine.settle([root])
    assert row.get().status == Status.OK
