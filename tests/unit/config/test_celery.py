import pytest
from celery import current_app
from celery.app.routes import Router, prepare
from django.conf import settings as configured

from config.celery import configuration
from services.queues import name_for

pytestmark = pytest.mark.once


def test_operations_wait_where_others_do_unless_they_have_a_queue_of_their_own(settings, monkeypatch):
    assert name_for("interventions.work") == name_for("invoices.fetch") == configured.TASK_DEFAULT_QUEUE
    settings.OPERATIONS_QUEUE = "operations"
    amqp = current_app.amqp
    monkeypatch.setattr(amqp, "router", Router(prepare(configuration()["task_routes"]), amqp.queues, True, current_app))
    assert name_for("interventions.work") == "operations"
    assert name_for("invoices.fetch") == configured.TASK_DEFAULT_QUEUE
