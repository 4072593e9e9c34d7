"""POST /actions/<name> with Idempotency-Key: the same report for the same request, whatever became of it since."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from rest_framework.permissions import BasePermission

from api.invoices import SyncInvoicesApi
from reports.models import AsyncActionReport
from reports.purging import purge_batch
from reports.selectors import read_clock

BODY = {"customer_id": "cus_ada"}


def post(client, body=BODY, *, key="k", action="sync-invoices", **query):
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/actions/{action}", body, content_type="application/json", headers=headers, query_params=query)


def require_replay(answer, of):
    assert answer.status_code == of.status_code == 202
    assert answer.headers["Location"] == of.headers["Location"]
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert answer.json()["id"] == of.json()["id"]


def require_refused(answer, status=422, code="idempotency_key_reused"):
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["code"] == code
    assert "Idempotent-Replayed" not in answer.headers


def count():
    return AsyncActionReport.objects.filter(parent=None).count()


def test_the_report_shows_the_key(ada):
    first = post(ada, key='"k \\" 1"')

    assert first.status_code == 202
    assert "Idempotent-Replayed" not in first.headers
    assert first.json()["idempotency_key"] == 'k " 1'
    assert ada.get(first.headers["Location"]).json() == first.json()
    assert ada.get("/reports").json()["items"][0]["idempotency_key"] == 'k " 1'
    assert post(ada, key=None).json()["idempotency_key"] is None


@pytest.mark.parametrize("written", ["k", '"k"'])
@pytest.mark.parametrize("body", [BODY, '{ "customer_id":\n"cus_ada" }', '{"customer_id": "\\u0063us_ada"}'])
def test_a_repeated_request_is_answered_as_the_first_was(ada, written, body):
    first = post(ada)

    again = post(ada, body, key=written)

    require_replay(again, first)
    assert again.json() == first.json()
    assert again.headers["Retry-After"] == "1"
    assert count() == 1


def test_its_report_is_shown_as_it_is_by_now(ada, ledger):
    first = post(ada)
    ledger.succeed(UUID(first.json()["id"]), ["a row"], {"stored": 1, "totals": {}})

    again = post(ada)

    require_replay(again, first)
    assert (again.json()["status"], again.json()["result"]) == ("ok", {"stored": 1, "totals": {}})
    assert "Retry-After" not in again.headers


def test_nothing_is_published_for_it(ada, monkeypatch, django_capture_on_commit_callbacks):
    published = []
    monkeypatch.setattr("services.actions.publish", lambda some, **_: published.extend(some))
    with django_capture_on_commit_callbacks(execute=True):
        post(ada)
    assert len(published) == 1
    with django_capture_on_commit_callbacks(execute=True):
        post(ada)
    assert len(published) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"body": {"customer_id": "cus_bob"}},
        {"action": "sync-all-invoices", "body": {}},
        {"delay": "60"},
        {"expires_in": "60"},
    ],
    ids=["body", "action", "delay", "expiry"],
)
def test_something_else_with_the_same_key_is_refused(ada, other):
    post(ada)

    refused = post(ada, **other)

    require_refused(refused)
    assert refused.json()["detail"].startswith("The key k stands for another request: ")
    assert "as they were sent, before defaults" in refused.json()["detail"]
    assert count() == 1


def test_another_client_s_key_is_another_one(ada, bob):
    first, other = post(ada), post(bob, {"customer_id": "cus_bob"})

    assert other.status_code == 202
    assert first.json()["id"] != other.json()["id"]


def test_a_report_that_was_purged_frees_its_key(ada, ledger):
    first = post(ada)
    ledger.cancel(UUID(first.json()["id"]))
    AsyncActionReport.objects.filter(parent=None).update(finished_at=datetime(2026, 1, 1, tzinfo=UTC))
    purge_batch(older_than=60)

    again = post(ada, {"customer_id": "cus_bob"})

    assert again.status_code == 202
    assert again.json()["id"] != first.json()["id"]


@pytest.mark.parametrize("key", ["", '"', "a b", "a, b", "k" * 256, '"a";b'])
def test_a_key_that_is_none_is_refused(ada, key):
    answer = ada.post("/actions/sync-invoices", BODY, content_type="application/json", headers={"Idempotency-Key": key})

    require_refused(answer, 400, "idempotency_key_invalid")
    assert count() == 0


# What would be refused by now


def test_a_request_whose_time_has_passed_since_still_has_its_report(ada, monkeypatch):
    soon = read_clock() + timedelta(minutes=5)
    timing = {"run_at": soon.isoformat(), "expires_at": (soon + timedelta(minutes=5)).isoformat()}
    first = post(ada, **timing)
    monkeypatch.setattr("api.timing.read_clock", lambda: soon + timedelta(hours=1))

    require_replay(post(ada, **timing), first)
    require_refused(post(ada, key="new", **timing), 400, "query_invalid")
    require_refused(post(ada, {"customer_id": "cus_bob"}, **timing), 400, "query_invalid")


def test_a_request_whose_parameters_are_not_valid_any_more_still_has_its_report(ada, settings):
    first = post(ada)
    settings.REPORT_MAX_PARAMETERS_BYTES = 10

    require_replay(post(ada), first)
    require_refused(post(ada, key="new"), 413, "body_too_large")


def test_a_request_whose_plan_is_too_large_by_now_still_has_its_report(ada, settings):
    first = post(ada)
    settings.REPORT_MAX_TASKS = 1

    require_replay(post(ada), first)
    require_refused(post(ada, key="new"), 422, "plan_too_large")


def test_what_was_refused_has_no_report_and_leaves_its_key_free(ada):
    assert post(ada, {"customer_id": ""}).status_code == 422

    assert post(ada).status_code == 202


def test_who_may_not_ask_any_more_is_not_told(ada, monkeypatch):
    class Nobody(BasePermission):
        def has_permission(self, request, view):
            return False

    post(ada)
    monkeypatch.setattr(SyncInvoicesApi, "permission_classes", [Nobody])

    require_refused(post(ada), 403, "permission_denied")
