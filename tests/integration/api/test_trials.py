"""POST /actions/<name>?validate_only=true: what would become of a request, of which nothing is kept."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.permissions import BasePermission

from api.invoices import InvoiceCustomerApi
from reports.errors import PlanInvalidError
from reports.models import AsyncActionReport

BODY = {"email": "ada@example.com", "name": "Ada", "amount": "12.5", "reference": "r-1"}


@pytest.fixture(autouse=True)
def _nothing_is_stored(db):
    yield
    assert not AsyncActionReport.objects.exists()


def try_out(client, body=BODY, *, value="true", headers=None, **query):
    return client.post(
        "/actions/invoice-customer",
        body,
        content_type="application/json",
        headers=headers,
        query_params={"validate_only": value, **query},
    )


def test_it_says_what_the_request_comes_to(ada):
    answer = try_out(ada)

    assert answer.status_code == 200
    assert answer.json() == {
        "kind": "validation",
        "action": "invoice-customer",
        "parameters": {**BODY, "amount": "12.50", "currency": "EUR"},
        "tasks": 5,
        "not_before": None,
        "deadline_at": None,
    }
    assert not {"Location", "Retry-After"} & set(answer.headers)


def test_it_says_when_it_would_run(ada):
    body = try_out(ada, delay="3600", expires_in="7200").json()

    expiry = datetime.fromisoformat(body["deadline_at"]) - datetime.fromisoformat(body["not_before"])
    assert expiry == timedelta(hours=1)


def test_it_costs_no_statement(ada, remembering):
    ada.get("/actions")
    with CaptureQueriesContext(connection) as queries:
        try_out(ada)
    assert len(queries) == 0


def test_it_leaves_keys_alone(ada):
    answers = [try_out(ada, body, headers={"Idempotency-Key": "k"}) for body in (BODY, {**BODY, "name": "Bob"})]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert not any("Idempotent-Replayed" in answer.headers for answer in answers)
    assert try_out(ada, headers={"Idempotency-Key": ""}).json()["code"] == "idempotency_key_invalid"


def test_it_waits_for_nothing(ada):
    answer = try_out(ada, headers={"Prefer": "wait=30, respond-async"})

    assert answer.status_code == 200
    assert "Preference-Applied" not in answer.headers


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"body": {**BODY, "amount": 12.5}}, 422, "parameters_invalid"),
        ({"body": "{"}, 400, "body_malformed"),
        ({"run_at": "2001-01-01T00:00:00Z"}, 400, "query_invalid"),
        ({"value": "1"}, 400, "query_invalid"),
        ({"value": ""}, 400, "query_invalid"),
        ({"value": "True"}, 400, "query_invalid"),
    ],
)
def test_what_would_be_refused_is_refused(ada, options, status, code):
    answer = try_out(ada, **options)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_so_is_a_plan_that_is_too_large(ada, settings):
    settings.REPORT_MAX_TASKS = 4

    assert try_out(ada).json()["code"] == "plan_too_large"


def test_and_who_may_not_ask_for_it(ada, stranger, monkeypatch):
    class Nobody(BasePermission):
        def has_permission(self, request, view):
            return False

    monkeypatch.setattr(InvoiceCustomerApi, "permission_classes", [Nobody])

    assert (try_out(ada).status_code, try_out(stranger).status_code) == (403, 401)


def test_an_action_that_cannot_run_is_found_out(ada, monkeypatch):
    def fail(**_):
        raise PlanInvalidError("It cannot run.")

    monkeypatch.setattr(InvoiceCustomerApi, "canvas", staticmethod(fail))

    assert try_out(ada).status_code == 500


def test_false_is_as_if_it_were_not_there(ada):
    assert try_out(ada, value="false").status_code == 202
    AsyncActionReport.objects.all().delete()
